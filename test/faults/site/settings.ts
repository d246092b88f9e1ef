import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '@hookline/embedded';
import type { Role } from './fleet.js';

/** After so long without a heartbeat a worker sends nothing more, and the group goes on without it. */
export const SESSION_MS = 10_000;

/** The delays of the retry topics, ms. */
export const RETRY_DELAYS = [1_000, 2_000, 5_000] as const;

/** What the roles of a site are told of. */
export interface Surroundings {
  brokers: readonly string[];
  /** Where connections to brokers go instead: host and port to port. */
  detours: ReadonlyMap<string, number> | undefined;
  /** Through the proxy, where there is one. */
  databaseUrl: string;
  operatorToken: string;
  sealingKey: string;
  /** Of the producer's database, where there is an outbox. */
  outboxUrl: string | undefined;
  /** Whose events the relays may bring. */
  relayed: readonly string[];
}

/** The environment of a role; PostgreSQL is known to those alone that need it. */
export function settingsOf(role: Role, site: Surroundings): NodeJS.ProcessEnv {
  return { ...settingsOfAll(site), ...detoursOf(site), ...secretsOf(role, site) };
}

/** What every process of a site needs that speaks to its brokers. */
export function settingsOfAll({ brokers, sealingKey }: Surroundings): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    KAFKA_BROKERS: brokers.join(),
    HOOKLINE_EVENT_PARTITIONS: '6',
    HOOKLINE_LANE_PARTITIONS: '6',
    HOOKLINE_ATTEMPT_PARTITIONS: '3',
    // Each broker leads its part, so that one that dies was of use.
    HOOKLINE_TOPIC_LEADERS: 'spread',
    HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
    HOOKLINE_SEALING_KEYS: sealingKey,
    HOOKLINE_RETRY_DELAYS: RETRY_DELAYS.map((ms) => `${ms / 1_000}s`).join(),
    // A worker that is killed is noticed by its silence, and an endpoint that has healed by a try: so long a run waits.
    HOOKLINE_SESSION_TIMEOUT: `${SESSION_MS}ms`,
    HOOKLINE_REBALANCE_TIMEOUT: '20s',
    HOOKLINE_ATTEMPT_TIMEOUT: '14s',
    // A catch-up waits until every worker has heard of it.
    HOOKLINE_VIEW_STALE: '5s',
    HOOKLINE_BREAKER_OPEN: '2s',
    HOOKLINE_BREAKER_OPEN_MOST: '5s',
    HOOKLINE_LOG_LEVEL: 'info',
  };
}

function detoursOf({ detours }: Surroundings): NodeJS.ProcessEnv {
  if (!detours) return {};
  const preload = join(projectRoot(), 'dist', 'test', 'faults', 'site', 'detour-preload.js');
  return {
    NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`,
    FAULTS_DETOURS: JSON.stringify(Object.fromEntries(detours)),
  };
}

function secretsOf(role: Role, site: Surroundings): NodeJS.ProcessEnv {
  if (role === 'relay')
    return {
      HOOKLINE_RELAY_DATABASE_URL: site.outboxUrl,
      HOOKLINE_RELAY_TENANTS: site.relayed.join(),
      // Small batches, so that a kill meets some under way.
      HOOKLINE_RELAY_BATCH: '50',
    };
  if (role !== 'admin-api' && role !== 'recorder') return {};
  return { DATABASE_URL: site.databaseUrl, HOOKLINE_OPERATOR_TOKEN: site.operatorToken };
}
