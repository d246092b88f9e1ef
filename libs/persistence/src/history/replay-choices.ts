import type { Transaction } from '../management/enqueue.js';
import type { RecordedDelivery } from './delivery-row.js';
import { deliveryUuid } from './delivery-uuid.js';

/** Picks one delivery for a replay that brings chosen ones, in the transaction that makes the replay. */
export async function chooseDelivery(
  transaction: Transaction,
  replayId: string,
  { id, event }: Pick<RecordedDelivery, 'id' | 'event'>,
): Promise<void> {
  await transaction.query(
    `INSERT INTO replay_choices (replay_id, event_partition, event_offset, subscription_id, delivery_id, event_at, letter_at)
     SELECT $1, event_partition, event_offset, subscription_id, delivery_id, event_at,
            CASE WHEN state = 'dead-lettered' THEN updated_at END
       FROM deliveries WHERE delivery_id = $2 AND event_at = $3`,
    [replayId, deliveryUuid(id), new Date(event.at)],
  );
}
