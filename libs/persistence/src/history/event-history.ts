import type { LogPosition } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import { DELIVERY_COLUMNS, toDelivery, type DeliveryRow, type RecordedDelivery } from './delivery-row.js';
import { EVENT_COLUMNS, EVENT_JOINS, toEvent, type EventRow, type RecordedEvent } from './event-row.js';

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
        WHERE partition = $1 AND "offset" = $2 AND appended_at = $3 AND NOT EXISTS (
          SELECT FROM expunged_events WHERE partition = $1 AND "offset" = $2 AND appended_at = $3)`,
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
  SELECT ${EVENT_COLUMNS}
    FROM events e
    ${EVENT_JOINS}
   WHERE hashtextextended(e.event_id, 0) = hashtextextended($1::text COLLATE "C", 0) AND e.event_id = $1::text
     AND ($2::text IS NULL OR e.tenant_id = $2)
   ORDER BY r.duplicate_of IS NOT NULL, e.appended_at DESC, e."offset" DESC
   LIMIT $3`;
