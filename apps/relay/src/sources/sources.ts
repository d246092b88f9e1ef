import { readFileSync } from 'node:fs';
import {
  ConfigError,
  type ConsumerConfig,
  type KafkaConfig,
  type PublishConfig,
  type SourcesConfig,
} from '@hookline/config';
import type { Output } from '@hookline/kafka';
import type { Clock, Logger, Metrics } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import { readAllCodecs } from './codecs/register.js';
import type { SourceCluster } from './definition.js';
import { readDefinitions } from './definitions.js';
import { KnownTenants } from './known-tenants.js';
import { Source } from './source.js';
import { SourceMetrics } from './source-metrics.js';

export interface RelaySourcesConfig {
  kafka: KafkaConfig;
  publish: PublishConfig;
  consumer: ConsumerConfig;
  sources: SourcesConfig;
}

export interface RelaySourcesParts {
  /** Where events and dead letters go: a pump that outlives {@link SourcesRelay.drain}, started and stopped by its owner. */
  output: Output;
  /** A client of a cluster: ours, or the one that a source names. */
  connect: (kafka: KafkaConfig) => Kafka;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** How long a stop waits for what is in flight; ms. */
  drainMs: number;
}

/** Everything that brings topics of producers into `hookline.events`. */
export interface SourcesRelay {
  /** Resolves when the tenants were looked up and all sources are on their way. @throws ConfigError naming unknown tenants */
  start(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  liveness(): string | undefined;
  readiness(): string | undefined;
}

/** What is wrong with the list of sources, for the role's `check`. */
export const sourceFaults = (config: Pick<SourcesConfig, 'inline' | 'file'>): string[] =>
  readDefinitions(config).faults;

/**
 * Undefined where no source is named.
 * @throws ConfigError with everything that is wrong with the list
 */
export function createSources(config: RelaySourcesConfig, parts: RelaySourcesParts): SourcesRelay | undefined {
  const { sources: definitions, faults } = readDefinitions(config.sources);
  if (faults.length > 0) throw new ConfigError(faults);
  if (definitions.length === 0) return undefined;
  readAllCodecs();
  const { output, connect, clock, logger, drainMs } = parts;
  const sources: Source[] = [];
  const metrics = new SourceMetrics(parts.metrics, () => sources.map((source) => [source.name, source.lag()] as const));
  const { publish, consumer } = config;
  const shared = { output, publish, consumer, sources: config.sources, clock, logger, metrics, drainMs };
  for (const definition of definitions)
    sources.push(new Source(definition, { ...shared, kafka: connect(clusterOf(config.kafka, definition.kafka)) }));
  const tenants = new KnownTenants(config.kafka, clock, logger);
  return new Sources(sources, tenants, () => tenants.check(definitions));
}

class Sources implements SourcesRelay {
  private state: 'new' | 'started' | 'stopped' = 'new';

  constructor(
    private readonly sources: readonly Source[],
    private readonly tenants: KnownTenants,
    private readonly check: () => Promise<boolean>,
  ) {}

  async start(): Promise<void> {
    if (!(await this.check()) || this.state === 'stopped') return;
    this.state = 'started';
    for (const source of this.sources) source.start();
  }

  async drain(): Promise<void> {
    this.state = 'stopped';
    await Promise.all([this.tenants.stop(), ...this.sources.map((source) => source.drain())]);
  }

  close(): Promise<void> {
    return this.drain();
  }

  liveness(): string | undefined {
    return joined(this.sources.map((source) => source.liveness()));
  }

  readiness(): string | undefined {
    if (this.state === 'new') return 'the tenants of the sources have not been read from Kafka yet';
    return joined(this.sources.map((source) => source.readiness()));
  }
}

/** @throws ConfigError when the file with the password can't be read */
function clusterOf(own: KafkaConfig, other: SourceCluster | undefined): KafkaConfig {
  if (other === undefined) return own;
  const { saslPasswordFile, ...rest } = other;
  const absent = { tlsCaFile: undefined, tlsCertFile: undefined, tlsKeyFile: undefined, saslUsername: undefined };
  const saslPassword = saslPasswordFile === undefined ? undefined : passwordIn(saslPasswordFile);
  return { ...absent, ...rest, clientId: own.clientId, saslPassword };
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError([`kafka.saslPasswordFile of a source can't be read: ${(error as Error).message}`]);
  }
}

function joined(problems: readonly (string | undefined)[]): string | undefined {
  const all = problems.filter((problem) => problem !== undefined);
  return all.length === 0 ? undefined : all.join('; ');
}
