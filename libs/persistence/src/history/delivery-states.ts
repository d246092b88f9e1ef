import type { DeliveryState } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import { deliveryIdOf, deliveryUuid } from './delivery-uuid.js';
import { missedSince } from './missed-deliveries.js';

/** A delivery that is asked for: its id, and the append time of its event, ms since the epoch. */
export interface AskedDelivery {
  id: string;
  at: number;
}

export interface KnownState {
  state: DeliveryState;
  /** The replay that was asked about has had it, whatever became of it there. */
  replayed: boolean;
  /** It is a dead letter that somebody has discarded. */
  discarded: boolean;
  /** It was given up, since the time that was asked about, for what its endpoint did. */
  missed: boolean;
}

/** How deliveries stand, many at a time; those that nothing is recorded of are not in the answer. */
export class DeliveryStates {
  constructor(private readonly database: Queryable) {}

  /**
   * @param since what was given up since then counts as missed, ms since the epoch; absent: nothing does
   * @returns by delivery id
   */
  async of(asked: readonly AskedDelivery[], replayId: string | null, since?: number): Promise<Map<string, KnownState>> {
    if (asked.length === 0) return new Map();
    const times = asked.map(({ at }) => at);
    const rows = await this.database.query<({ delivery_id: string } & KnownState)[]>(STATES, [
      asked.map(({ id }) => deliveryUuid(id)),
      new Date(times.reduce((a, b) => Math.min(a, b))),
      new Date(times.reduce((a, b) => Math.max(a, b))),
      replayId,
      since === undefined ? null : new Date(since),
    ]);
    return new Map(rows.map(({ delivery_id, ...known }) => [deliveryIdOf(delivery_id), known]));
  }

  /** By partition, the first event that a subscription is neither through with nor has given up. */
  async firstUnended(subscriptionId: string): Promise<Map<number, number>> {
    const rows = await this.database.query<{ event_partition: number; first: string }[]>(
      `SELECT event_partition, min(event_offset) AS first FROM deliveries
        WHERE subscription_id = $1 AND state <> 'delivered' AND state IN ('pending', 'retrying', 'held')
        GROUP BY event_partition`,
      [subscriptionId],
    );
    return new Map(rows.map((row) => [row.event_partition, Number(row.first)]));
  }

  /** The append time of the last event that the subscription got, ms since the epoch; undefined where it got none. */
  async lastSuccess(tenantId: string, subscriptionId: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ event_at: Date }[]>(
      `SELECT event_at FROM deliveries WHERE subscription_id = $1 AND tenant_id = $2 AND state = 'delivered'
        ORDER BY event_at DESC LIMIT 1`,
      [subscriptionId, tenantId],
    );
    return row?.event_at.getTime();
  }
}

const STATES = `
  SELECT d.delivery_id, d.state, r.delivery_id IS NOT NULL AS replayed, x.delivery_id IS NOT NULL AS discarded,
         coalesce(${missedSince('$5')}, false) AS missed
    FROM deliveries d
    LEFT JOIN dead_letter_discards x
      ON x.delivery_id = d.delivery_id AND x.event_at = d.event_at AND x.letter_at = d.updated_at
    LEFT JOIN replay_deliveries r
      ON r.replay_id = $4 AND r.delivery_id = d.delivery_id AND r.event_at = d.event_at
   WHERE d.delivery_id = ANY($1::uuid[]) AND d.event_at BETWEEN $2 AND $3`;
