import type { Queryable } from '../migrate.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import {
  DISCARDS,
  IS_EXPUNGED,
  ITS_SUBSCRIPTIONS,
  UNDER_WAY,
  WANTED,
  WANTED_PARAMETERS,
  wantedParameters,
  type DeadLetterFilter,
} from './dead-letter-sql.js';
import { DELIVERY_COLUMNS, toDelivery, type DeliveryRow, type RecordedDelivery } from './delivery-row.js';

/** A delivery that has ended undelivered. */
export interface RecordedDeadLetter {
  delivery: RecordedDelivery;
  /** Absent: nobody has discarded it. */
  discarded?: { at: Date; by: string; auditId: string };
}

/** Dead letters of one reason, and where that is asked of one subscription. */
export interface DeadLetterGroup {
  reason: string | null;
  subscriptionId: string | null;
  count: number;
  /** Of these, discarded. */
  discarded: number;
  oldestAt: Date;
  newestAt: Date;
}

/** What a change by filter would take, and what it would leave. */
export interface DeadLetterTally {
  count: number;
  discarded: number;
  /** A redrive or a resend brings them, and nothing has come of it yet. */
  underWay: number;
  /** Their subscription takes nothing. */
  notEnabled: number;
  /** The log has let go of their events. */
  gone: number;
  /** The payloads of their events were expunged. */
  expunged: number;
}

/** What the recorder knows of deliveries that ended undelivered. */
export class DeadLetterHistory {
  constructor(private readonly database: Queryable) {}

  /**
   * By the append time of their events, newest first.
   * @param discarded whether those that were discarded, or the others
   * @throws InvalidCursor
   */
  async list(
    filter: DeadLetterFilter,
    discarded: boolean,
    limit: number,
    cursor?: string,
  ): Promise<{ letters: RecordedDeadLetter[]; next?: string }> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const more = [limit + 1, after?.at ?? null, after?.uuid ?? null, discarded];
    const rows = await this.database.query<ListedRow[]>(LIST, [...wantedParameters(filter), ...more]);
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      letters: page.map(toLetter),
      ...(last ? { next: encodeCursor({ at: last.event_at, uuid: last.delivery_id }) } : {}),
    };
  }

  /**
   * Counted by reason, or by reason and subscription; the largest first.
   * @param limit groups at most
   */
  async summary(filter: DeadLetterFilter, bySubscription: boolean, limit: number): Promise<DeadLetterGroup[]> {
    const rows = await this.database.query<GroupRow[]>(SUMMARY, [...wantedParameters(filter), bySubscription, limit]);
    return rows.map((row) => ({
      reason: row.reason,
      subscriptionId: row.subscription_id,
      count: Number(row.count),
      discarded: Number(row.discarded),
      oldestAt: row.oldest_at,
      newestAt: row.newest_at,
    }));
  }

  /** @param lows where the log begins, by partition: what can be redriven is counted; absent: what can be discarded */
  async tally(filter: DeadLetterFilter, lows?: Readonly<Record<string, number>>): Promise<DeadLetterTally> {
    const [row] = await this.database.query<Record<keyof DeadLetterTally, string>[]>(TALLY, [
      ...wantedParameters(filter),
      lows === undefined ? null : JSON.stringify(lows),
    ]);
    return {
      count: Number(row?.count ?? 0),
      discarded: Number(row?.discarded ?? 0),
      underWay: Number(row?.underWay ?? 0),
      notEnabled: Number(row?.notEnabled ?? 0),
      gone: Number(row?.gone ?? 0),
      expunged: Number(row?.expunged ?? 0),
    };
  }
}

interface ListedRow extends DeliveryRow {
  audit_id: string | null;
  discarded_at: Date | null;
  discarded_by: string | null;
}

interface GroupRow {
  reason: string | null;
  subscription_id: string | null;
  count: string;
  discarded: string;
  oldest_at: Date;
  newest_at: Date;
}

function toLetter(row: ListedRow): RecordedDeadLetter {
  const { audit_id: auditId, discarded_at: at, discarded_by: by } = row;
  const delivery = toDelivery(row);
  return auditId === null || at === null || by === null ? { delivery } : { delivery, discarded: { at, by, auditId } };
}

const parameter = (n: number): string => `$${WANTED_PARAMETERS + n}`;

/** One page for each subscription, from its index, and then the newest of all. */
const LIST = `
  SELECT d.*, a.created_at AS discarded_at, a.actor AS discarded_by FROM (${ITS_SUBSCRIPTIONS}) s CROSS JOIN LATERAL (
    SELECT ${DELIVERY_COLUMNS}, x.audit_id FROM deliveries d ${DISCARDS}
     WHERE d.subscription_id = s.id AND ${WANTED} AND (x.audit_id IS NOT NULL) = ${parameter(4)}::boolean
       AND (${parameter(2)}::timestamptz IS NULL OR d.event_at <= ${parameter(2)}
            AND (d.event_at, d.delivery_id) < (${parameter(2)}, ${parameter(3)}::uuid))
     ORDER BY d.event_at DESC, d.delivery_id DESC LIMIT ${parameter(1)}
  ) d LEFT JOIN audit_entries a ON a.id = d.audit_id
  ORDER BY d.event_at DESC, d.delivery_id DESC LIMIT ${parameter(1)}`;

const SUMMARY = `
  SELECT d.reason, CASE WHEN ${parameter(1)}::boolean THEN d.subscription_id END AS subscription_id, count(*),
         count(x.audit_id) AS discarded, min(d.event_at) AS oldest_at, max(d.event_at) AS newest_at
    FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
   WHERE ${WANTED} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ${parameter(2)}`;

/** Each is counted once: as discarded, else as under way, else as what keeps it from being sent. */
const TALLY = `
  SELECT count(*) FILTER (WHERE was = 'free') AS count, count(*) FILTER (WHERE was = 'discarded') AS discarded,
         count(*) FILTER (WHERE was = 'under-way') AS "underWay",
         count(*) FILTER (WHERE was = 'not-enabled') AS "notEnabled", count(*) FILTER (WHERE was = 'gone') AS gone,
         count(*) FILTER (WHERE was = 'expunged') AS expunged
    FROM (
      SELECT CASE WHEN x.audit_id IS NOT NULL THEN 'discarded'
                  WHEN ${UNDER_WAY} THEN 'under-way'
                  WHEN ${parameter(1)}::jsonb IS NULL THEN 'free'
                  WHEN ${IS_EXPUNGED} THEN 'expunged'
                  WHEN s.status <> 'enabled' THEN 'not-enabled'
                  WHEN d.event_offset < coalesce((${parameter(1)}::jsonb->>(d.event_partition::text))::bigint, 0) THEN 'gone'
                  ELSE 'free' END AS was
        FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
       WHERE ${WANTED}
    ) t`;
