import type { DeliveryState } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import { ATTEMPT_COLUMNS, toAttempt, type AttemptRow, type RecordedAttempt } from './attempt-row.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import { DELIVERY_COLUMNS, toDelivery, type DeliveryRow, type RecordedDelivery } from './delivery-row.js';
import { deliveryUuid } from './delivery-uuid.js';

export interface AnsweredAttempt extends RecordedAttempt {
  responseBody: string | null;
}

/** With what the request and the answer can be told from. */
export interface ExchangedAttempt extends AnsweredAttempt {
  /** The subscription's version that it was made by; null where that is not recorded. */
  version: number | null;
  /** Name, value, name, value …; null where none were kept. */
  responseHeaders: string[] | null;
}

export interface DeliveryFilter {
  /** Null: of every tenant. */
  tenantId: string | null;
  subscriptionId?: string;
  state?: DeliveryState;
  /** Exact, `prefix.*` or `*`. */
  type?: string;
  /** Of the last attempt. */
  status?: number;
  /** By the append time of the event, inclusive. */
  from?: Date;
  /** Exclusive. */
  to?: Date;
}

export interface DeliveryPage {
  deliveries: RecordedDelivery[];
  /** Where the next page begins; absent on the last one. */
  next?: string;
}

/** What the recorder knows of deliveries. It lags behind them. */
export class DeliveryHistory {
  constructor(private readonly database: Queryable) {}

  /**
   * A delivery with all its attempts, oldest first.
   * @param tenantId null: of whichever tenant
   * @param deliveryId `msg_…`; anything else finds nothing
   */
  async get(
    tenantId: string | null,
    deliveryId: string,
  ): Promise<{ delivery: RecordedDelivery; attempts: AnsweredAttempt[] } | undefined> {
    const delivery = await this.find(tenantId, deliveryId);
    return delivery && { delivery, attempts: await this.attempts(deliveryUuid(deliveryId) as string) };
  }

  /** As {@link get}, without the attempts. */
  async find(tenantId: string | null, deliveryId: string): Promise<RecordedDelivery | undefined> {
    const uuid = deliveryUuid(deliveryId);
    if (uuid === undefined) return undefined;
    const [row] = await this.database.query<DeliveryRow[]>(
      `SELECT ${DELIVERY_COLUMNS} FROM deliveries d
        WHERE d.delivery_id = $1 AND ($2::text IS NULL OR d.tenant_id = $2)`,
      [uuid, tenantId],
    );
    return row && toDelivery(row);
  }

  /** One attempt of a delivery that was found. */
  async attempt(deliveryId: string, attemptId: string): Promise<ExchangedAttempt | undefined> {
    const [row] = await this.database.query<ExchangedRow[]>(
      `SELECT ${ATTEMPT_COLUMNS}, response_body, subscription_version, response_headers
         FROM attempts WHERE delivery_id = $1 AND attempt_id = $2 ORDER BY appended_at LIMIT 1`,
      [deliveryUuid(deliveryId), attemptId],
    );
    return (
      row && {
        ...toAttempt(row),
        responseBody: row.response_body,
        version: row.subscription_version,
        responseHeaders: row.response_headers === null ? null : (JSON.parse(row.response_headers) as string[]),
      }
    );
  }

  /**
   * Deliveries by the append time of their events, newest first.
   * @param cursor the `next` of the page before
   * @throws InvalidCursor
   */
  async list(filter: DeliveryFilter, limit: number, cursor?: string): Promise<DeliveryPage> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const { type = '*' } = filter;
    const rows = await this.database.query<DeliveryRow[]>(listQuery(filter), [
      filter.tenantId,
      limit + 1,
      after?.at ?? null,
      after?.uuid ?? null,
      filter.subscriptionId ?? null,
      filter.state ?? null,
      type.endsWith('*') ? null : type,
      type.endsWith('*') ? type.slice(0, -1) : null,
      filter.status ?? null,
      filter.from ?? null,
      filter.to ?? null,
    ]);
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      deliveries: page.map(toDelivery),
      ...(last ? { next: encodeCursor({ at: last.event_at, uuid: last.delivery_id }) } : {}),
    };
  }

  /** How the deliveries of a replay stand in it; one that its subscription had before does not count as delivered. */
  async replayStates(replayId: string): Promise<Record<DeliveryState, number>> {
    const rows = await this.database.query<{ state: DeliveryState; count: string }[]>(
      'SELECT state, count(*) FROM replay_deliveries WHERE replay_id = $1 GROUP BY state',
      [replayId],
    );
    const counts: Record<DeliveryState, number> = {
      pending: 0,
      retrying: 0,
      delivered: 0,
      'dead-lettered': 0,
      held: 0,
    };
    for (const row of rows) counts[row.state] = Number(row.count);
    return counts;
  }

  private async attempts(uuid: string): Promise<AnsweredAttempt[]> {
    const rows = await this.database.query<AnsweredRow[]>(ATTEMPTS, [uuid]);
    return rows.map((row) => ({ ...toAttempt(row), responseBody: row.response_body }));
  }
}

type AnsweredRow = AttemptRow & { response_body: string | null };
type ExchangedRow = AnsweredRow & { subscription_version: number | null; response_headers: string | null };

/** The outcome of one attempt may be in the log twice: its writer repeats what was not acknowledged. */
const ATTEMPTS = `
  SELECT * FROM (
    SELECT DISTINCT ON (attempt_id) ${ATTEMPT_COLUMNS}, response_body
      FROM attempts WHERE delivery_id = $1 ORDER BY attempt_id, appended_at
  ) a ORDER BY started_at, number`;

/**
 * One page for each subscription, from its index, and then the newest of all: so a tenant's list needs no index of
 * its own, which would cost the recorder time with each delivery.
 */
function listQuery(filter: DeliveryFilter): string {
  const ids =
    filter.subscriptionId === undefined
      ? 'SELECT id COLLATE "C" AS id FROM subscriptions WHERE ($1::text IS NULL OR tenant_id = $1) AND $5::text IS NULL'
      : 'SELECT $5::text COLLATE "C" AS id';
  // Written out, for the partial index is found by it.
  const undelivered = filter.state !== undefined && filter.state !== 'delivered' ? `AND d.state <> 'delivered'` : '';
  return `
    SELECT d.* FROM (${ids}) s CROSS JOIN LATERAL (
      SELECT ${DELIVERY_COLUMNS} FROM deliveries d
       WHERE d.subscription_id = s.id AND ($1::text IS NULL OR d.tenant_id = $1)
         AND ($3::timestamptz IS NULL OR d.event_at <= $3 AND (d.event_at, d.delivery_id) < ($3, $4::uuid))
         AND ($6::text IS NULL OR d.state = $6) ${undelivered}
         AND ($7::text IS NULL OR d.type = $7) AND ($8::text IS NULL OR starts_with(d.type, $8))
         AND ($9::integer IS NULL OR d.last_status = $9)
         AND ($10::timestamptz IS NULL OR d.event_at >= $10) AND ($11::timestamptz IS NULL OR d.event_at < $11)
       ORDER BY d.event_at DESC, d.delivery_id DESC LIMIT $2
    ) d ORDER BY d.event_at DESC, d.delivery_id DESC LIMIT $2`;
}
