import type { Secrets } from './secrets.js';

export const ROLES = ['ingest', 'admin-api', 'delivery', 'recorder', 'relay'] as const;
export type Role = (typeof ROLES)[number];

/** Where one of these is set there is something to relay. */
const RELAYED = ['HOOKLINE_RELAY_DATABASE_URL', 'HOOKLINE_SOURCES', 'HOOKLINE_SOURCES_FILE'] as const;

/** The roles that have something to do with these settings; in the order of their ports. */
export function rolesFor(settings: NodeJS.ProcessEnv): Role[] {
  const relays = RELAYED.some((name) => settings[name]);
  return ROLES.filter((role) => role !== 'relay' || relays);
}

export interface Surroundings {
  brokers: readonly string[];
  /** Copies that the brokers can hold. */
  copies: number;
  databaseUrl: string;
  secrets: Secrets;
  /** What the caller has set; it goes before what is chosen here. */
  settings: NodeJS.ProcessEnv;
}

/** Endpoints of this machine may be called here: it is where a first receiver is. */
export const LOOPBACK = '127.0.0.0/8,::1/128';

/** The environment of every role and of the set-up; secrets go only to those that need them. */
export function settingsFor(role: Role | 'setup', around: Surroundings): NodeJS.ProcessEnv {
  const { secrets } = around;
  const { HOOKLINE_RELAY_DATABASE_URL: outbox, ...settings } = around.settings;
  const copies = around.copies >= 3 ? 3 : 1;
  return {
    HOOKLINE_ALLOW_CIDRS: LOOPBACK,
    HOOKLINE_REPLICATION_FACTOR: String(copies),
    HOOKLINE_MIN_INSYNC_REPLICAS: String(copies === 3 ? 2 : 1),
    HOOKLINE_EVENT_PARTITIONS: '3',
    HOOKLINE_LANE_PARTITIONS: '3',
    HOOKLINE_ATTEMPT_PARTITIONS: '3',
    // One machine has all the brokers: a request less is worth more there than equal parts.
    HOOKLINE_TOPIC_LEADERS: 'together',
    HOOKLINE_SEALING_KEYS: secrets.sealingKeys,
    ...settings,
    KAFKA_BROKERS: around.brokers.join(),
    ...(role === 'admin-api' || role === 'recorder' || role === 'setup' ? { DATABASE_URL: around.databaseUrl } : {}),
    ...(role === 'relay' && outbox ? { HOOKLINE_RELAY_DATABASE_URL: outbox } : {}),
    ...(role === 'admin-api' ? { HOOKLINE_OPERATOR_TOKEN: secrets.operatorToken } : {}),
  };
}
