import type { LogPosition } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import { DELIVERY_COLUMNS, toDelivery, type DeliveryRow, type RecordedDelivery } from './delivery-row.js';

/** What became of an event. `pending`: nothing is recorded about it yet, which is not the same as matching nothing. */
export type Routing =
  | { state: 'pending' }
  | {
      state: 'routed';
      /** The subscriptions that it matched, none included. */
      matched: string[];
      /** The offset, in the same partition, of the event that it repeats; null if it is no repeat. */
      duplicateOf: number | null;
    };

export interface RecordedEvent extends LogPosition {
  tenantId: string;
  id: string;
  type: string;
  /** As the publisher wrote it. */
  time: string;
  key: string | null;
  /** Bytes of its data, as it was published. */
  size: number;
  /** When its data was taken out of the history; null if it was not. */
  expungedAt: Date | null;
  routing: Routing;
}

export interface FoundEvent {
  event: RecordedEvent;
  /** Other events with the same id, newest first. */
  repeats: RecordedEvent[];
}

/** Events with one id that are read at most. */
const MAX_REPEATS = 100;

/** What the recorder knows of events. It lags behind the log: an event that is not here may still be in it. */
export class EventHistory {
  constructor(private readonly database: Queryable) {}

  /**
   * The event with this id: the newest one that does not repeat another.
   * @param tenantId null: of whichever tenant
   */
  async find(tenantId: string | null, eventId: string): Promise<FoundEvent | undefined> {
    const rows = await this.database.query<EventRow[]>(FIND, [eventId, tenantId, MAX_REPEATS]);
    const [event, ...repeats] = rows.map(toEvent);
    return event && { event, repeats };
  }

  /** The bytes of an event's data; undefined where it is not recorded, or was expunged. */
  async payload(position: LogPosition): Promise<Buffer | undefined> {
    const [row] = await this.database.query<{ payload: Buffer }[]>(
      `SELECT payload FROM events
        WHERE partition = $1 AND "offset" = $2 AND appended_at = $3 AND expunged_at IS NULL`,
      [position.partition, position.offset, new Date(position.at)],
    );
    return row?.payload;
  }

  /** All deliveries of an event, those that a replay added included. */
  async deliveries(position: LogPosition): Promise<RecordedDelivery[]> {
    const rows = await this.database.query<DeliveryRow[]>(
      `SELECT ${DELIVERY_COLUMNS} FROM deliveries d
        WHERE d.event_partition = $1 AND d.event_offset = $2 AND d.event_at = $3 ORDER BY d.subscription_id`,
      [position.partition, position.offset, new Date(position.at)],
    );
    return rows.map(toDelivery);
  }

  /** The offsets from `from` (inclusive) to `to` (exclusive) whose events are known to repeat another, ascending. */
  async duplicates(partition: number, from: number, to: number): Promise<number[]> {
    const rows = await this.database.query<{ offset: string }[]>(
      `SELECT "offset" FROM event_routes
        WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3 AND duplicate_of IS NOT NULL ORDER BY "offset"`,
      [partition, from, to],
    );
    return rows.map((row) => Number(row.offset));
  }
}

const FIND = `
  SELECT e.partition, e."offset", e.appended_at, e.tenant_id, e.event_id, e.type, e.time, e.key, e.size, e.expunged_at,
         r.matched, r.duplicate_of, sole.subscription_id AS sole_match
    FROM events e
    LEFT JOIN event_routes r
      ON r.partition = e.partition AND r."offset" = e."offset" AND r.appended_at = e.appended_at
    LEFT JOIN deliveries sole
      ON sole.event_partition = e.partition AND sole.event_offset = e."offset" AND sole.event_at = e.appended_at
     AND sole.sole_match
   WHERE hashtextextended(e.event_id, 0) = hashtextextended($1::text COLLATE "C", 0) AND e.event_id = $1::text
     AND ($2::text IS NULL OR e.tenant_id = $2)
   ORDER BY r.duplicate_of IS NOT NULL, e.appended_at DESC, e."offset" DESC
   LIMIT $3`;

interface EventRow {
  partition: number;
  offset: string;
  appended_at: Date;
  tenant_id: string;
  event_id: string;
  type: string;
  time: string;
  key: string | null;
  size: number;
  expunged_at: Date | null;
  matched: string[] | null;
  duplicate_of: string | null;
  sole_match: string | null;
}

function toEvent(row: EventRow): RecordedEvent {
  return {
    tenantId: row.tenant_id,
    id: row.event_id,
    type: row.type,
    time: row.time,
    key: row.key,
    size: row.size,
    expungedAt: row.expunged_at,
    partition: row.partition,
    offset: Number(row.offset),
    at: row.appended_at.getTime(),
    routing: toRouting(row),
  };
}

function toRouting({ matched, duplicate_of, sole_match }: EventRow): Routing {
  if (matched) return { state: 'routed', matched, duplicateOf: duplicate_of === null ? null : Number(duplicate_of) };
  if (sole_match !== null) return { state: 'routed', matched: [sole_match], duplicateOf: null };
  return { state: 'pending' };
}
