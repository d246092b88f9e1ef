import type { Transaction } from '../management/enqueue.js';
import type { RecordedDelivery } from './delivery-row.js';
import { deliveryUuid } from './delivery-uuid.js';

/** Picks one delivery for a replay that brings chosen ones, in the transaction that makes the replay. */
export async function chooseDelivery(
  transaction: Transaction,
  replayId: string,
  { id, subscriptionId, event, state, updatedAt }: RecordedDelivery,
): Promise<void> {
  await transaction.query(
    `INSERT INTO replay_choices (replay_id, event_partition, event_offset, subscription_id, delivery_id, event_at, letter_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      replayId,
      event.partition,
      event.offset,
      subscriptionId,
      deliveryUuid(id),
      new Date(event.at),
      state === 'dead-lettered' ? updatedAt : null,
    ],
  );
}
