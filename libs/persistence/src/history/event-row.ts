import type { LogPosition } from '@hookline/contracts';

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

/** Of a table `events e` with {@link EVENT_JOINS}. */
export const EVENT_COLUMNS = `e.partition, e."offset", e.appended_at, e.tenant_id, e.event_id, e.type, e.time, e.key, e.size,
  gone.expunged_at, r.matched, r.duplicate_of, sole.subscription_id AS sole_match`;

export const EVENT_JOINS = `
    LEFT JOIN event_routes r
      ON r.partition = e.partition AND r."offset" = e."offset" AND r.appended_at = e.appended_at
    LEFT JOIN deliveries sole
      ON sole.event_partition = e.partition AND sole.event_offset = e."offset" AND sole.event_at = e.appended_at
     AND sole.sole_match
    LEFT JOIN expunged_events gone
      ON gone.partition = e.partition AND gone."offset" = e."offset" AND gone.appended_at = e.appended_at`;

export interface EventRow {
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

export function toEvent(row: EventRow): RecordedEvent {
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
