import {
  expungedKey,
  TOPICS,
  type CredentialRecord,
  type ExpungedRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';

/** PostgreSQL tells the publisher of new rows on this channel, when the transaction that made them commits. */
export const OUTBOX_CHANNEL = 'hookline_outbox';

/** Without what the publisher adds itself: a position is known only when the record is written. */
export type PendingSubscription = Omit<SubscriptionRecord, 'holdsFrom' | 'before'>;

export type PendingRecord = CredentialRecord | PendingSubscription;

/** A transaction: TypeORM's EntityManager, or a client of `pg`. */
export interface Transaction {
  query(sql: string, values?: unknown[]): Promise<unknown>;
}

const INSERT = `
  INSERT INTO outbox (topic, key, version, payload)
  SELECT $1, record->>'id', (record->>'version')::integer, record FROM jsonb_array_elements($2::jsonb) AS record`;

/**
 * Puts records on their way to a compacted topic, in the transaction of the changes themselves. The changed rows must
 * be locked by now (or new), so that rows of one key get their numbers in the order of their versions.
 */
export async function enqueue(
  transaction: Transaction,
  topic: string,
  ...records: readonly PendingRecord[]
): Promise<void> {
  await transaction.query(INSERT, [topic, JSON.stringify(records)]);
  await transaction.query(`SELECT pg_notify('${OUTBOX_CHANNEL}', '')`);
}

const INSERT_EXPUNGED = `
  INSERT INTO outbox (topic, key, version, payload)
  SELECT $1, key, 1, record FROM unnest($2::text[], $3::jsonb[]) AS told(key, record)
  ON CONFLICT (topic, key, version) DO NOTHING`;

/** Puts on their way to the log which payloads were taken out, in the transaction that does it; what is on its way already goes once. */
export async function enqueueExpunged(transaction: Transaction, records: readonly ExpungedRecord[]): Promise<void> {
  await transaction.query(INSERT_EXPUNGED, [
    TOPICS.progress,
    records.map(expungedKey),
    records.map((record) => JSON.stringify(record)),
  ]);
  await transaction.query(`SELECT pg_notify('${OUTBOX_CHANNEL}', '')`);
}
