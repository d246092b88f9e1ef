import type { Session } from '@hookline/persistence';
import type { LostDelivery } from './letters.js';

/** A delivery that waits, as history has it. */
export interface WaitingDelivery extends LostDelivery {
  subscriptionId: string;
  since: Date;
}

/** A delivery that is held on its own. */
export interface HeldDelivery extends WaitingDelivery {
  /** It stood in a span, and that has a dead letter of it. */
  hasLetter: boolean;
}

/**
 * Those whose events the log has let go of, but for what a replay may have brought since, and what is in a span: that gets
 * its letter, or is brought, with it.
 * @param lows where the log begins, by partition, as JSON
 */
export async function goneOf(session: Session, lows: string, limit: number): Promise<HeldDelivery[]> {
  if ((await session.query(ANY_GONE, [lows])).length === 0) return [];
  return toHeld(await session.query<HeldRow>(GONE, [lows, limit, ...(await unsettled(session))]));
}

/** Those of these subscriptions, but for the same. */
export async function heldBy(session: Session, ids: readonly string[], limit: number): Promise<HeldDelivery[]> {
  if ((await session.query(ANY_HELD, [ids])).length === 0) return [];
  return toHeld(await session.query<HeldRow>(HELD_BY, [ids, limit, ...(await unsettled(session))]));
}

/** The next deleted subscriptions, in the order of their ids. */
export async function deletedAfter(session: Session, after: string, limit: number): Promise<string[]> {
  const rows = await session.query<{ id: string }>(
    `SELECT id FROM subscriptions WHERE status = 'deleted' AND id > $1 ORDER BY id LIMIT $2`,
    [after, limit],
  );
  return rows.map(({ id }) => id);
}

/** Of whom a replay may have handed over what history does not know of yet: all of a tenant's, or single subscriptions. */
async function unsettled(session: Session): Promise<[tenants: string[], subscriptions: string[]]> {
  const rows = await session.query<{ tenant_id: string; subscriptions: string[] | null }>(UNSETTLED);
  const tenants = rows.filter(({ subscriptions }) => subscriptions === null).map((row) => row.tenant_id);
  return [[...new Set(tenants)], [...new Set(rows.flatMap(({ subscriptions }) => subscriptions ?? []))]];
}

function toHeld(rows: readonly HeldRow[]): HeldDelivery[] {
  return rows.map((row) => ({ ...toWaiting(row), hasLetter: row.has_letter }));
}

export function toWaiting(row: WaitingRow): WaitingDelivery {
  return {
    position: { partition: row.event_partition, offset: Number(row.event_offset), at: row.event_at.getTime() },
    event: { tenant: row.tenant_id, id: row.event_id, type: row.type },
    replayId: row.replay_id,
    subscriptionId: row.subscription_id,
    since: row.updated_at,
  };
}

interface HeldRow extends WaitingRow {
  has_letter: boolean;
}

export interface WaitingRow extends Record<string, unknown> {
  subscription_id: string;
  event_partition: number;
  event_offset: string;
  event_at: Date;
  tenant_id: string;
  event_id: string;
  type: string;
  replay_id: string | null;
  updated_at: Date;
}

/**
 * Replays that are at work, and those that rest and of which history does not know all that they have handed over. One that a
 * person has paused rests, too: it reads no event that the log has let go of, and brings nothing to whoever takes nothing.
 * What it had handed over is saved a moment after it was paused or cancelled. What a later catch-up has superseded has no
 * outcome any more, and what waits in no lane any more, after a week, neither.
 */
const UNSETTLED = `
  SELECT r.tenant_id,
         CASE WHEN r.subscription_id IS NOT NULL THEN jsonb_build_array(r.subscription_id)
              WHEN jsonb_typeof(r.spec->'subscriptionIds') = 'array' THEN r.spec->'subscriptionIds' END AS subscriptions
    FROM replays r
   WHERE CASE
     WHEN r.finished_at IS NULL AND r.status <> 'paused' THEN true
     WHEN greatest(r.updated_at, r.finished_at) > now() - interval '5 minutes' AND r.status <> 'completed' THEN true
     WHEN greatest(r.updated_at, r.finished_at) < now() - interval '7 days' OR r.sent = 0 THEN false
     WHEN r.kind <> 'replay' AND EXISTS (
       SELECT FROM replays later
        WHERE later.subscription_id = r.subscription_id AND later.kind = 'catch-up' AND later.version > r.version)
     THEN false
     ELSE (SELECT count(*) FROM replay_deliveries b WHERE b.replay_id = r.id) < r.sent END`;

const ANY_GONE = `
  SELECT FROM jsonb_each_text($1::jsonb) AS low(partition, start) WHERE EXISTS (
    SELECT FROM deliveries d
     WHERE d.event_partition = low.partition::integer AND d.event_offset < low.start::bigint AND d.state = 'held')
   LIMIT 1`;

const ANY_HELD = `SELECT FROM deliveries d WHERE d.subscription_id = ANY($1) AND d.state = 'held' LIMIT 1`;

/** Of a table `deliveries d`. */
export const WAITING_COLUMNS = `d.subscription_id, d.event_partition, d.event_offset, d.event_at, d.tenant_id, d.event_id, d.type,
  d.replay_id, d.updated_at`;

/** An index of `held_spans` is of the database's collation, and the deliveries' ids are not. */
const HAS_LETTER = `EXISTS (
  SELECT FROM held_spans h
   CROSS JOIN LATERAL jsonb_to_recordset(h.lettered) AS g(partition integer, "from" bigint, "to" bigint)
   WHERE h.subscription_id = d.subscription_id COLLATE "default" AND g.partition = d.event_partition
     AND d.event_offset >= g."from" AND d.event_offset < g."to")`;

const IS_IN_SPAN = `EXISTS (
  SELECT FROM held_spans h
   WHERE h.subscription_id = d.subscription_id COLLATE "default" AND h.ended_at IS NULL
     AND d.event_offset >= coalesce((h.from_offsets->>(d.event_partition::text))::bigint, 0)
     AND (h.to_offsets IS NULL OR d.event_offset < coalesce((h.to_offsets->>(d.event_partition::text))::bigint, 0)))`;

const COLUMNS = `${WAITING_COLUMNS}, ${HAS_LETTER} AS has_letter`;

const SETTLED = `d.tenant_id <> ALL($3::text[]) AND d.subscription_id <> ALL($4::text[]) AND NOT ${IS_IN_SPAN}`;

/** In the order of the index, of which no more is read than is taken. */
const GONE = `
  SELECT d.* FROM jsonb_each_text($1::jsonb) AS low(partition, start)
   CROSS JOIN LATERAL (
     SELECT ${COLUMNS} FROM deliveries d
      WHERE d.event_partition = low.partition::integer AND d.event_offset < low.start::bigint AND d.state = 'held'
        AND ${SETTLED}
      ORDER BY d.event_partition, d.event_offset, d.subscription_id LIMIT $2) d
   LIMIT $2`;

const HELD_BY = `
  SELECT d.* FROM unnest($1::text[]) AS its(id)
   CROSS JOIN LATERAL (
     SELECT ${COLUMNS} FROM deliveries d
      WHERE d.subscription_id = its.id AND d.state = 'held' AND ${SETTLED}
      ORDER BY d.subscription_id, d.event_partition, d.event_offset LIMIT $2) d
   LIMIT $2`;
