import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import type { Session } from '@hookline/persistence';
import type { Undone } from './undone.js';

/** Deliveries that are looked at together; a range of dead letters is no longer than that. */
const PAGE = 1_000;

/** One delivery of a subscription, or what a wide hand-over had for it. */
export interface UndoneDelivery {
  position: LogPosition;
  event: Pick<EventEnvelope, 'tenant' | 'id' | 'type'>;
  replayId: string | null;
  /** It has no end, nor anything that was told later; else it only stands between those. */
  isUndone: boolean;
}

/**
 * The deliveries of one subscription and partition between the first and the last that are undone, in pages, in the order of the log.
 * @param until as it was asked with, ms since the epoch
 */
export async function* undoneDeliveries(
  session: Session,
  { subscriptionId, partition, first, last, firstAt, lastAt }: Undone,
  until: number,
): AsyncGenerator<UndoneDelivery[]> {
  const times = [new Date(firstAt), new Date(lastAt), new Date(until)];
  for (let after = first - 1; ;) {
    const rows = await session.query<FoundRow>(ROWS, [subscriptionId, partition, after, last, ...times, PAGE]);
    const end = rows.at(-1);
    if (end === undefined) return;
    after = Number(end.offset);
    yield rows.map((row) => toUndone(row, partition));
  }
}

function toUndone(row: FoundRow, partition: number): UndoneDelivery {
  return {
    position: { partition, offset: Number(row.offset), at: row.at.getTime() },
    event: { tenant: row.tenant_id, id: row.event_id, type: row.type },
    replayId: row.replay_id,
    isUndone: row.is_undone,
  };
}

interface FoundRow extends Record<string, unknown> {
  offset: string;
  at: Date;
  tenant_id: string;
  event_id: string;
  type: string;
  replay_id: string | null;
  is_undone: boolean;
}

const ROWS = `
  SELECT event_offset AS "offset", event_at AS at, tenant_id, event_id, type, replay_id,
         state IN ('pending', 'retrying') AND updated_at <= $7 AS is_undone
    FROM deliveries
   WHERE subscription_id = $1 AND event_partition = $2 AND event_offset > $3 AND event_offset <= $4
     AND event_at BETWEEN $5 AND $6
  UNION ALL
  SELECT r."offset", r.appended_at, e.tenant_id, e.event_id, e.type, NULL, true
    FROM event_routes r JOIN events e USING (partition, "offset", appended_at)
   WHERE $1 = ANY(r.matched) AND r.partition = $2 AND r."offset" > $3 AND r."offset" <= $4
     AND r.appended_at BETWEEN $5 AND $6 AND NOT EXISTS (
       SELECT FROM deliveries d
        WHERE d.event_partition = r.partition AND d.event_offset = r."offset" AND d.subscription_id = $1)
   ORDER BY 1 LIMIT $8`;
