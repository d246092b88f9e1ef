import { section } from '../load.js';
import { count, duration, flag, list, optionalText } from '../setting.js';

/** How a producer's outbox is drained; the section `publish` says how large its events may be. */
export interface RelayConfig {
  databaseUrl: string | undefined;
  databaseTls: boolean;
  databaseTlsCaFile: string | undefined;
  databaseTimeoutMs: number;
  tenant: string | undefined;
  tenants: string[];
  batchRows: number;
  batchBytes: number;
  pollMs: number;
  patienceMs: number;
}

export const relaySection = section<RelayConfig>('Relay', {
  databaseUrl: optionalText(
    'HOOKLINE_RELAY_DATABASE_URL',
    "A producer's PostgreSQL with the table hookline_outbox, postgres://user:password@host:port/database; not over a pooler in transaction mode.",
    { secret: true },
  ),
  databaseTls: flag('HOOKLINE_RELAY_DATABASE_TLS', 'Speak TLS to it, and check its certificate.', { default: false }),
  databaseTlsCaFile: optionalText(
    'HOOKLINE_RELAY_DATABASE_TLS_CA_FILE',
    'A file with the certificate authority for that, PEM.',
  ),
  databaseTimeoutMs: duration(
    'HOOKLINE_RELAY_DATABASE_TIMEOUT',
    'How long it may take to connect, and to answer a query; then the relay begins again.',
    { default: '15s' },
  ),
  tenant: optionalText('HOOKLINE_RELAY_TENANT', 'The tenant of the rows that name none.'),
  tenants: list('HOOKLINE_RELAY_TENANTS', 'Other tenants that a row may name; any other is refused.', { default: '' }),
  batchRows: count('HOOKLINE_RELAY_BATCH', 'Rows that a relay brings to Kafka at a time at most.', {
    default: 1_000,
    min: 1,
    max: 10_000,
  }),
  batchBytes: count('HOOKLINE_RELAY_BATCH_BYTES', 'Bytes of data in them at most, but for one row.', {
    default: 8_388_608,
    min: 1,
    max: 67_108_864,
  }),
  pollMs: duration(
    'HOOKLINE_RELAY_POLL',
    'How often the outbox is looked at, besides when PostgreSQL tells of new rows; and how often relays share it out.',
    { default: '1s' },
  ),
  patienceMs: duration(
    'HOOKLINE_RELAY_PATIENCE',
    'Kafka that has not taken a batch for so long: the relay leaves the outbox to the others until it has.',
    { default: '30s' },
  ),
});
