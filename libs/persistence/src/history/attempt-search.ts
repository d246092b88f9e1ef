import type { Clock } from '@hookline/platform';
import type { Queryable } from '../migrate.js';
import { decodeAttemptCursor, encodeAttemptCursor, type AttemptPlace } from './attempt-cursor.js';
import { ATTEMPT_COLUMNS, toAttempt, type AttemptRow, type RecordedAttempt } from './attempt-row.js';
import { DELIVERY_COLUMNS, toDelivery, type DeliveryRow, type RecordedDelivery } from './delivery-row.js';
import { deliveryUuid } from './delivery-uuid.js';

export interface AttemptFilter {
  tenantId: string;
  subscriptionId?: string;
  /** Of these deliveries, `msg_…`; absent: of all that are in the period. */
  deliveryIds?: readonly string[];
  /** Exact, `prefix.*` or `*`. */
  type?: string;
  /** By the append time of the event, inclusive. */
  from?: Date;
  /** Exclusive. */
  to?: Date;
  /** By when the attempt began, inclusive. */
  startedFrom?: Date;
  /** Exclusive. */
  startedTo?: Date;
  status?: number;
  outcome?: 'delivered' | 'failed';
  /** A named failure. */
  error?: string;
}

export interface FoundAttempt {
  delivery: RecordedDelivery;
  attempt: RecordedAttempt;
}

export interface AttemptPage {
  attempts: FoundAttempt[];
  /** Where the next page begins; absent on the last one. */
  next?: string;
}

/** A look that finds too little is followed by one through so many times more deliveries. */
const WIDER = 8;
const DAY_MS = 86_400_000;

/**
 * Finds attempts by those deliveries that they are of, newest event first, the attempts of one delivery together. Attempts
 * have no index of their own by time or outcome, which would cost the recorder with each: a page looks through a bounded number
 * of deliveries, and may be short, or empty, where little of that is wanted.
 */
export class AttemptSearch {
  /**
   * @param rows that a page looks through at most: for each delivery one, and one more for each day since its event, for each
   *   day's attempts have a table of their own. Of each of the tenant's subscriptions one delivery is looked at in any case.
   */
  constructor(
    private readonly database: Queryable,
    private readonly rows: number,
    private readonly clock: Clock,
  ) {}

  /**
   * @param cursor the `next` of the page before
   * @throws InvalidCursor
   */
  async page(filter: AttemptFilter, limit: number, cursor?: string): Promise<AttemptPage> {
    let place = cursor === undefined ? undefined : decodeAttemptCursor(cursor);
    const attempts: FoundAttempt[] = [];
    let rowsEach = this.rowsEach(place?.at ?? filter.to);
    for (let left = this.rows, look = limit * 2; ; look *= WIDER) {
      const deliveries = Math.max(1, Math.min(look, Math.floor(left / rowsEach)));
      const found = await this.look(filter, limit - attempts.length, deliveries, place);
      attempts.push(...found.attempts);
      left -= deliveries * rowsEach;
      place = found.end;
      if (place === undefined) return { attempts };
      rowsEach = this.rowsEach(place.at);
      if (attempts.length >= limit || left < rowsEach) return { attempts, next: encodeAttemptCursor(place) };
    }
  }

  /** What a delivery counts whose event came then, or now. */
  private rowsEach(at: Date | undefined): number {
    const now = this.clock.now();
    return 1 + Math.max(0, Math.floor((now - (at?.getTime() ?? now)) / DAY_MS));
  }

  /** @returns the end is undefined where nothing is left */
  private async look(
    filter: AttemptFilter,
    limit: number,
    deliveries: number,
    place: AttemptPlace | undefined,
  ): Promise<{ attempts: FoundAttempt[]; end: AttemptPlace | undefined }> {
    const { type = '*' } = filter;
    const rows = await this.database.query<FoundRow[]>(lookQuery(filter), [
      filter.tenantId,
      filter.deliveryIds?.map(deliveryUuid) ?? filter.subscriptionId ?? null,
      deliveries,
      limit,
      type.endsWith('*') ? null : type,
      type.endsWith('*') ? type.slice(0, -1) : null,
      filter.from ?? null,
      filter.to ?? null,
      place?.at ?? null,
      place?.uuid ?? null,
      place?.attempt?.startedAt ?? null,
      place?.attempt?.id ?? null,
      filter.startedFrom ?? null,
      filter.startedTo ?? null,
      filter.status ?? null,
      filter.outcome === undefined ? null : filter.outcome === 'delivered',
      filter.error ?? null,
      filter.subscriptionId ?? null,
    ]);
    const found = rows.filter(isFound);
    const last = found.at(-1);
    const [first] = rows;
    if (last !== undefined && found.length >= limit) {
      const attempt = { startedAt: last.started_at, id: last.attempt_id };
      return { attempts: found.map(toFound), end: { at: last.event_at, uuid: last.delivery_id, attempt } };
    }
    const { horizon_at: at, horizon_id: uuid } = first ?? { horizon_at: null, horizon_id: null };
    return { attempts: found.map(toFound), end: at === null || uuid === null ? undefined : { at, uuid } };
  }
}

type Horizon = { horizon_at: Date | null; horizon_id: string | null };
type Found = Horizon & DeliveryRow & Omit<AttemptRow, 'replay_id'> & { attempt_replay_id: string | null };
type FoundRow = Found | (Horizon & { attempt_id: null });

function isFound(row: FoundRow): row is Found {
  return row.attempt_id !== null;
}

function toFound(row: Found): FoundAttempt {
  return { delivery: toDelivery(row), attempt: toAttempt({ ...row, replay_id: row.attempt_replay_id }) };
}

/**
 * One share of the deliveries for each subscription, from its index. Down to the horizon all of them were looked at: that is
 * the newest end of a share that was used up. A worker's attempt is recorded after its event, but for brokers' clocks.
 */
function lookQuery({ deliveryIds, subscriptionId }: AttemptFilter): string {
  const of = deliveryIds === undefined ? 'subscription' : 'delivery';
  return `
    WITH lanes AS (
      SELECT l.id, greatest(1, $3::int8 / count(*) OVER ()) AS share FROM (${lanesOf(deliveryIds, subscriptionId)}) l
    ), looked AS (
      SELECT d.*, l.share, row_number() OVER (PARTITION BY l.id ORDER BY d.event_at DESC, d.delivery_id DESC) AS place
        FROM lanes l CROSS JOIN LATERAL (
          SELECT ${DELIVERY_COLUMNS} FROM deliveries d
           WHERE d.${of}_id = l.id AND d.tenant_id = $1
             AND ($9::timestamptz IS NULL OR d.event_at <= $9 AND (d.event_at, d.delivery_id) <= ($9, $10::uuid))
             AND ($9::timestamptz IS NULL OR $12::text IS NOT NULL OR d.delivery_id <> $10::uuid)
             AND ($5::text IS NULL OR d.type = $5) AND ($6::text IS NULL OR starts_with(d.type, $6))
             AND ($7::timestamptz IS NULL OR d.event_at >= $7) AND ($8::timestamptz IS NULL OR d.event_at < $8)
             AND ($18::text IS NULL OR d.subscription_id = $18)
           ORDER BY d.event_at DESC, d.delivery_id DESC LIMIT l.share
        ) d
    ), horizon AS (
      SELECT event_at, delivery_id FROM looked WHERE ${of === 'subscription' ? 'place = share' : 'false'}
       ORDER BY event_at DESC, delivery_id DESC LIMIT 1
    )
    SELECT h.event_at AS horizon_at, h.delivery_id AS horizon_id, f.*
      FROM (SELECT) one LEFT JOIN horizon h ON true LEFT JOIN (
        SELECT d.*, a.attempt_id, a.number, a.started_at, a.duration_ms, a.status, a.error,
               a.replay_id AS attempt_replay_id
          FROM (SELECT * FROM looked ORDER BY event_at DESC, delivery_id DESC) d
          LEFT JOIN horizon h ON true
          CROSS JOIN LATERAL (
            SELECT DISTINCT ON (attempt_id) ${ATTEMPT_COLUMNS} FROM attempts a
             WHERE a.delivery_id = d.delivery_id AND a.appended_at >= d.event_at - interval '1 hour'
             ORDER BY attempt_id, appended_at
          ) a
         WHERE (h.event_at IS NULL OR (d.event_at, d.delivery_id) >= (h.event_at, h.delivery_id))
           AND ($12::text IS NULL OR (d.event_at, d.delivery_id, a.started_at, a.attempt_id)
                 < ($9::timestamptz, $10::uuid, $11::timestamptz, $12::text COLLATE "C"))
           AND ($13::timestamptz IS NULL OR a.started_at >= $13) AND ($14::timestamptz IS NULL OR a.started_at < $14)
           AND ($15::int4 IS NULL OR a.status = $15) AND ($17::text IS NULL OR a.error = $17)
           AND ($16::bool IS NULL OR coalesce(a.status BETWEEN 200 AND 299, false) = $16)
         ORDER BY d.event_at DESC, d.delivery_id DESC, a.started_at DESC, a.attempt_id DESC LIMIT $4
      ) f ON true
     ORDER BY f.event_at DESC, f.delivery_id DESC, f.started_at DESC, f.attempt_id DESC`;
}

function lanesOf(deliveryIds: readonly string[] | undefined, subscriptionId: string | undefined): string {
  if (deliveryIds !== undefined) return 'SELECT unnest($2::uuid[]) AS id';
  if (subscriptionId !== undefined) return 'SELECT $2::text COLLATE "C" AS id';
  return 'SELECT id COLLATE "C" AS id FROM subscriptions WHERE tenant_id = $1 AND $2::text IS NULL';
}
