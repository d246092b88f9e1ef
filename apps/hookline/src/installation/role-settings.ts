import type { Secrets } from './secrets.js';

export const ROLES = ['ingest', 'admin-api', 'delivery', 'recorder'] as const;
export type Role = (typeof ROLES)[number];

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
  const { secrets, settings } = around;
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
    ...(role === 'admin-api' ? { HOOKLINE_OPERATOR_TOKEN: secrets.operatorToken } : {}),
  };
}
