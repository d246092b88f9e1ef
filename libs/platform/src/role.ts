import type { DynamicModule, Type } from '@nestjs/common';
import {
  httpSection,
  loggingSection,
  type ConfigOf,
  type HttpConfig,
  type LoggingConfig,
  type Section,
} from '@hookline/config';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HealthRegistry } from './health.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** The sections that every role has. */
export const commonSections = { http: httpSection, logging: loggingSection };

export type Sections = Record<string, Section<unknown>>;
export type RoleConfig<M extends Sections> = {
  readonly http: HttpConfig;
  readonly logging: LoggingConfig;
} & ConfigOf<M>;

/** What a role is built from. */
export interface RoleContext<M extends Sections> {
  readonly config: RoleConfig<M>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthRegistry;
}

/** A role that is wired up. Its parts are called in the order in which they stand here. */
export interface RoleParts {
  module: DynamicModule | Type;
  /** Before the server listens: parsers and the like. */
  configure?(app: NestFastifyApplication): void | Promise<void>;
  /** When the server listens; it may take as long as it needs. A rejection ends the process. */
  start?(): Promise<void>;
  /** Stops taking work in, and finishes what is in flight; the server still answers. */
  drain?(): Promise<void>;
  /** After the server has answered its last request. */
  close?(): Promise<void>;
}

export interface RoleDefinition<M extends Sections> {
  /** As in the logs and the metrics, e.g. `ingest`. */
  name: string;
  /** The role's settings, besides {@link commonSections}. */
  sections: M;
  /** What settings can't say by themselves: each answer is a fault. */
  check?(config: RoleConfig<M>): string[];
  /** Whether Nest parses JSON bodies; a role that takes the bytes as they came says no. */
  parsesBodies?: boolean;
  build(context: RoleContext<M>): RoleParts | Promise<RoleParts>;
}
