import type { Session } from '@hookline/persistence';

/** What one subscription did not get of one partition of `hookline.events`; both offsets inclusive. */
export interface Undone {
  subscriptionId: string;
  partition: number;
  first: number;
  last: number;
  firstAt: number;
  lastAt: number;
  /** When one of them had its last outcome, ms since the epoch; for members of a wide hand-over the moment that was asked with. */
  outcomeAt: number;
  deliveries: number;
  /** The log has let go of the events, too: this can't be re-created. */
  isGone: boolean;
}

/**
 * Deliveries without an end, whose last outcome is not younger than a moment: what was in a lane then, and what a wide
 * hand-over brought there, of whose members history knows only that they were matched.
 * @param until ms since the epoch
 * @param lows where the log of the events begins, by partition
 */
export async function undoneOf(
  session: Session,
  subscriptionIds: readonly string[],
  until: number,
  lows: Readonly<Record<string, number>>,
): Promise<Undone[]> {
  const rows = await session.query<UndoneRow>(UNDONE, [subscriptionIds, new Date(until), JSON.stringify(lows)]);
  return rows.map((row) => ({
    subscriptionId: row.subscription_id,
    partition: row.partition,
    first: Number(row.first),
    last: Number(row.last),
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
    outcomeAt: row.outcome_at.getTime(),
    deliveries: Number(row.deliveries),
    isGone: row.is_gone,
  }));
}

interface UndoneRow {
  subscription_id: string;
  partition: number;
  first: string;
  last: string;
  first_at: Date;
  last_at: Date;
  outcome_at: Date;
  deliveries: string;
  is_gone: boolean;
}

const UNDONE = `
  WITH undone AS (
    SELECT subscription_id, event_partition AS partition, event_offset AS "offset", event_at AS at, updated_at
      FROM deliveries
     WHERE subscription_id = ANY($1) AND state <> 'delivered' AND state IN ('pending', 'retrying') AND updated_at <= $2
    UNION ALL
    SELECT m.id, r.partition, r."offset", r.appended_at, $2
      FROM event_routes r CROSS JOIN LATERAL unnest(r.matched) AS m(id)
     WHERE r.appended_at <= $2 AND m.id = ANY($1) AND NOT EXISTS (
       SELECT FROM deliveries d
        WHERE d.event_partition = r.partition AND d.event_offset = r."offset" AND d.subscription_id = m.id)
  )
  SELECT u.subscription_id, u.partition, min(u."offset") AS first, max(u."offset") AS last, min(u.at) AS first_at,
         max(u.at) AS last_at, max(u.updated_at) AS outcome_at, count(*) AS deliveries, u."offset" < coalesce(low.start::bigint, 0) AS is_gone
    FROM undone u LEFT JOIN jsonb_each_text($3::jsonb) AS low(partition, start) ON low.partition = u.partition::text
   GROUP BY u.subscription_id, u.partition, is_gone`;
