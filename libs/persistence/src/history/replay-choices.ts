import type { Transaction } from '../management/enqueue.js';
import type { ReplayRange } from '../management/replay.entity.js';
import type { Queryable } from '../migrate.js';
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

/** Where what was chosen for a replay begins and ends, by partition: what it has to read. */
export async function chosenRanges(database: Queryable, replayId: string): Promise<Record<string, ReplayRange>> {
  const rows = await database.query<{ partition: number; first: string; last: string }[]>(
    `SELECT event_partition AS partition, min(event_offset) AS first, max(event_offset) AS last
       FROM replay_choices WHERE replay_id = $1 GROUP BY 1`,
    [replayId],
  );
  return Object.fromEntries(
    rows.map(({ partition, first, last }) => [
      partition,
      { from: Number(first), next: Number(first), to: Number(last) + 1 },
    ]),
  );
}
