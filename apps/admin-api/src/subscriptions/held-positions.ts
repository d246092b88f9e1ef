import { TOPICS } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import { MissedDeliveries, type Missed } from '@hookline/persistence';
import type { LogBounds } from '../replays/resolve-ranges.js';
import type { Database } from '../database/database.js';

/** A span of the log that a subscription has not got, as its row says. */
export interface HeldSpan {
  subscriptionId: string;
  reason: string;
  since: Date;
  from: Record<string, number>;
  /** Null while it is open. */
  to: Record<string, number> | null;
}

/** Offsets of one partition; `to` is exclusive, and null where the log can't be asked how far it goes. */
export interface HeldRange {
  from: number;
  to: number | null;
}

/** Deliveries that history knows of, and that have not ended: how many, and the first of them in each partition. */
export interface Waiting {
  held: number;
  pending: number;
  retrying: number;
  first: Map<number, number>;
}

/** What is held for subscriptions, by PostgreSQL's word, and what the log says of those positions. */
export class HeldPositions {
  constructor(
    private readonly database: Database,
    private readonly log: LogBounds,
  ) {}

  /** Those that have not ended, oldest first. */
  spans(subscriptionIds: readonly string[]): Promise<HeldSpan[]> {
    return this.database.query<HeldSpan[]>(
      `SELECT subscription_id AS "subscriptionId", reason, since, from_offsets AS "from", to_offsets AS "to"
         FROM held_spans WHERE subscription_id = ANY($1) AND ended_at IS NULL ORDER BY id`,
      [subscriptionIds],
    );
  }

  /** Where `hookline.events` begins and ends; undefined where Kafka does not answer. */
  async bounds(): Promise<Map<number, PartitionOffsets> | undefined> {
    const bounds = await this.log.bounds(TOPICS.events).catch(() => undefined);
    return bounds && new Map(bounds.map((bound) => [bound.partition, bound]));
  }

  /** The offsets that were appended at or after a time; undefined where Kafka does not answer. */
  async at(timestamp: number): Promise<Map<number, number> | undefined> {
    return this.log.at(TOPICS.events, timestamp).catch(() => undefined);
  }

  /**
   * When the first event at or after each position was appended, as far as history knows.
   * @param positions by partition
   */
  async appendedAt(
    positions: readonly { partition: number; from: number; to: number | null }[],
  ): Promise<(Date | null)[]> {
    if (positions.length === 0) return [];
    const rows = await this.database.query<{ at: Date | null }[]>(FIRST_AT, [
      positions.map(({ partition }) => partition),
      positions.map(({ from }) => from),
      positions.map(({ to }) => to ?? Number.MAX_SAFE_INTEGER),
    ]);
    return rows.map(({ at }) => at);
  }

  /**
   * What was given up since a time, by partition; undefined where there is too much to count in time.
   * @param from only events that were appended since then, ms since the epoch
   */
  missed(subscriptionId: string, since: number, from: number | undefined): Promise<Map<number, Missed> | undefined> {
    return new MissedDeliveries(this.database).of(subscriptionId, since, from).catch(() => undefined);
  }

  /** Undefined where there are too many to count in time. */
  async waiting(subscriptionId: string): Promise<Waiting | undefined> {
    const rows = await this.database
      .query<{ state: 'held' | 'pending' | 'retrying'; partition: number; first: string; count: string }[]>(WAITING, [
        subscriptionId,
      ])
      .catch(() => undefined);
    if (rows === undefined) return undefined;
    const waiting: Waiting = { held: 0, pending: 0, retrying: 0, first: new Map() };
    for (const { state, partition, first, count } of rows) {
      waiting[state] += Number(count);
      waiting.first.set(partition, Math.min(Number(first), waiting.first.get(partition) ?? Infinity));
    }
    return waiting;
  }
}

const FIRST_AT = `
  SELECT (SELECT e.appended_at FROM events e
           WHERE e.partition = p.partition AND e."offset" >= p.first AND e."offset" < p.last
           ORDER BY e."offset" LIMIT 1) AS at
    FROM unnest($1::int4[], $2::int8[], $3::int8[]) WITH ORDINALITY AS p(partition, first, last, i) ORDER BY p.i`;

/** Over the index of what is not delivered. */
const WAITING = `
  SELECT state, event_partition AS partition, min(event_offset) AS first, count(*) FROM deliveries
   WHERE subscription_id = $1 AND state <> 'delivered' AND state IN ('held', 'pending', 'retrying')
   GROUP BY 1, 2`;
