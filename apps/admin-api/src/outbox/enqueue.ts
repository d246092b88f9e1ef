import type { CredentialRecord, SubscriptionRecord } from '@hookline/contracts';
import { OutboxEntry } from '@hookline/persistence';
import type { EntityManager } from 'typeorm';

/** PostgreSQL tells the publisher of new rows on this channel, when the transaction that made them commits. */
export const OUTBOX_CHANNEL = 'hookline_outbox';

/** What the publisher adds itself: a position is known only when the record is written. */
export type PendingRecord = CredentialRecord | Omit<SubscriptionRecord, 'holdsFrom'>;

/**
 * Puts a record on its way to a compacted topic, in the transaction of the change itself. The changed row must be
 * locked by now (or new), so that rows of one key get their numbers in the order of their versions.
 */
export async function enqueue(manager: EntityManager, topic: string, record: PendingRecord): Promise<void> {
  const payload = record as unknown as Record<string, unknown>;
  await manager.insert(OutboxEntry, { topic, key: record.id, version: record.version, payload: payload as object });
  await manager.query(`SELECT pg_notify('${OUTBOX_CHANNEL}', '')`);
}
