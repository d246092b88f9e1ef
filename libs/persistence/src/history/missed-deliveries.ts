import type { Queryable } from '../migrate.js';

/**
 * Of a table `deliveries d`: given up for what its endpoint did, since a time that stands for `$n`, and not discarded by
 * anybody since. What was deleted, expunged, or can't be read is not missed: no catch-up could bring it.
 */
export function missedSince(parameter: string): string {
  return `d.state = 'dead-lettered' AND d.reason IN ('expired', 'endpoint-gone') AND d.updated_at >= ${parameter}
    AND NOT EXISTS (SELECT FROM dead_letter_discards x
                     WHERE x.delivery_id = d.delivery_id AND x.event_at = d.event_at AND x.letter_at >= d.updated_at)`;
}

/** Deliveries that a subscription has missed, of one partition of `hookline.events`. */
export interface Missed {
  count: number;
  /** The offset of the first of them. */
  first: number;
}

/** What was given up while an endpoint failed. */
export class MissedDeliveries {
  constructor(private readonly database: Queryable) {}

  /**
   * By partition.
   * @param since given up since then, ms since the epoch
   * @param from only events that were appended since then, ms since the epoch
   */
  async of(subscriptionId: string, since: number, from: number | undefined): Promise<Map<number, Missed>> {
    const rows = await this.database.query<{ partition: number; first: string; count: string }[]>(MISSED, [
      subscriptionId,
      new Date(since),
      from === undefined ? null : new Date(from),
    ]);
    return new Map(
      rows.map(({ partition, first, count }) => [partition, { first: Number(first), count: Number(count) }]),
    );
  }
}

/** Over the index of what is not delivered. */
const MISSED = `
  SELECT d.event_partition AS partition, min(d.event_offset) AS first, count(*) FROM deliveries d
   WHERE d.subscription_id = $1 AND d.state <> 'delivered' AND ${missedSince('$2')}
     AND ($3::timestamptz IS NULL OR d.event_at >= $3)
   GROUP BY 1`;
