import type { LogPosition } from '@hookline/contracts';
import { enqueueExpunged } from '../management/enqueue.js';
import type { Queryable } from '../migrate.js';

/** One event whose payload is out of the history. */
export interface Expunged extends LogPosition {
  expungedAt: Date;
}

/** What history says of where else the payload of an event may be. */
export interface CopiesOf {
  /**
   * It may go on through the lanes: a delivery is not over, it is not known yet whom the event is for, or a replay of the
   * tenant may have brought it.
   */
  underWay: boolean;
  /** One of its deliveries is a dead letter. */
  deadLettered: boolean;
  /** When something last happened to one of them; null if there is none. */
  latest: Date | null;
}

/**
 * Takes payloads out of the history: the data of events, and what endpoints answered, for many answer with what they got.
 * The log is told by the outbox, in the same transaction, for whoever makes the database anew from it, or sends again what it
 * has. Every event of the tenant with this id, repeats included; one that was expunged before keeps its time, and is told again.
 * @returns none if history has no such event
 */
export async function expunge(transaction: Queryable, tenantId: string, eventId: string): Promise<Expunged[]> {
  const rows = await transaction.query<ExpungedRow[]>(EXPUNGE, [eventId, tenantId]);
  const events = rows.map((row) => ({
    partition: row.partition,
    offset: Number(row.offset),
    at: row.appended_at.getTime(),
    expungedAt: row.expunged_at,
  }));
  const records = events.map((event) => ({ v: 1, ...event, expungedAt: event.expungedAt.getTime() }) as const);
  if (records.length > 0) await enqueueExpunged(transaction, records);
  return events;
}

/** What history knows of payloads that were taken out. */
export class ExpungedPayloads {
  constructor(private readonly database: Queryable) {}

  /**
   * @param positions of events of this tenant
   * @param since a replay that has ended since then, ms since the epoch, may have deliveries that history does not know
   */
  async copiesOf(tenantId: string, positions: readonly LogPosition[], since: number): Promise<CopiesOf> {
    const [row] = await this.database.query<{ under_way: boolean; dead: boolean | null; latest: Date | null }[]>(
      COPIES,
      [
        positions.map(({ partition }) => partition),
        positions.map(({ offset }) => offset),
        positions.map(({ at }) => new Date(at)),
        tenantId,
        new Date(since),
      ],
    );
    return { underWay: row?.under_way ?? true, deadLettered: row?.dead ?? false, latest: row?.latest ?? null };
  }

  /**
   * Those of events of one partition whose payload was expunged, by their offsets. An event is what was appended there at that
   * time: where the topic was made anew, others have its offset.
   */
  async among(positions: readonly LogPosition[]): Promise<Set<number>> {
    const [first] = positions;
    if (first === undefined) return new Set();
    const offsets = positions.map(({ offset }) => offset);
    const rows = await this.database.query<{ offset: string; appended_at: Date }[]>(
      'SELECT "offset", appended_at FROM expunged_events WHERE partition = $1 AND "offset" BETWEEN $2 AND $3',
      [first.partition, offsets.reduce((a, b) => Math.min(a, b)), offsets.reduce((a, b) => Math.max(a, b))],
    );
    if (rows.length === 0) return new Set();
    const expunged = new Set(rows.map((row) => `${row.offset}@${row.appended_at.getTime()}`));
    return new Set(positions.filter(({ offset, at }) => expunged.has(`${offset}@${at}`)).map(({ offset }) => offset));
  }
}

/** Puts down what was expunged from a database that is gone, before its history is written anew. */
export async function noteExpunged(database: Queryable, events: readonly Expunged[]): Promise<void> {
  await database.query(
    `INSERT INTO expunged_events (partition, "offset", appended_at, expunged_at)
     SELECT * FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
    [
      events.map(({ partition }) => partition),
      events.map(({ offset }) => offset),
      events.map(({ at }) => new Date(at)),
      events.map(({ expungedAt }) => expungedAt),
    ],
  );
}

interface ExpungedRow {
  partition: number;
  offset: string;
  appended_at: Date;
  expunged_at: Date;
}

/** TypeORM answers an UPDATE with rows and count; a SELECT around it gives the rows. */
const EXPUNGE = `
  WITH hit AS (
    UPDATE events SET payload = ''
     WHERE hashtextextended(event_id, 0) = hashtextextended($1::text COLLATE "C", 0) AND event_id = $1::text
       AND tenant_id = $2
     RETURNING partition, "offset", appended_at
  ), noted AS (
    INSERT INTO expunged_events AS x (partition, "offset", appended_at, expunged_at)
    SELECT partition, "offset", appended_at, now() FROM hit
    ON CONFLICT (partition, "offset", appended_at) DO UPDATE SET expunged_at = x.expunged_at
    RETURNING x.*
  ), answers AS (
    UPDATE attempts a SET response_body = NULL, response_headers = NULL
      FROM hit JOIN deliveries d
        ON d.event_partition = hit.partition AND d.event_offset = hit."offset" AND d.event_at = hit.appended_at
     WHERE a.delivery_id = d.delivery_id AND coalesce(a.response_body, a.response_headers) IS NOT NULL
  )
  SELECT * FROM noted ORDER BY partition, "offset"`;

/**
 * An event that matched several has a row of each delivery only from its first outcome on. $4: the tenant, $5: see
 * {@link ExpungedPayloads.copiesOf}.
 */
const COPIES = `
  WITH e AS (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[]) AS e(partition, "offset", at)
  ), ours AS (
    SELECT d.* FROM e JOIN deliveries d
      ON d.event_partition = e.partition AND d.event_offset = e."offset" AND d.event_at = e.at
  ), near AS (
    SELECT id, finished_at FROM replays
     WHERE (tenant_id = $4 OR tenant_id IS NULL) AND coalesce(finished_at, 'infinity') >= (SELECT min(at) FROM e)
  ), said AS (
    SELECT state, updated_at FROM ours
     UNION ALL
    SELECT r.state, r.updated_at FROM ours CROSS JOIN near
      JOIN replay_deliveries r ON r.replay_id = near.id AND r.delivery_id = ours.delivery_id AND r.event_at = ours.event_at
  ), silent AS (
    SELECT FROM e LEFT JOIN event_routes r
        ON r.partition = e.partition AND r."offset" = e."offset" AND r.appended_at = e.at
     WHERE CASE WHEN r.matched IS NULL
       THEN NOT EXISTS (SELECT FROM ours WHERE event_partition = e.partition AND event_offset = e."offset" AND sole_match)
       ELSE EXISTS (
         SELECT FROM unnest(r.matched) AS m(id) WHERE NOT EXISTS (
           SELECT FROM ours
            WHERE event_partition = e.partition AND event_offset = e."offset" AND subscription_id = m.id)) END)
  SELECT coalesce(bool_or(state IN ('pending', 'retrying')), false) OR EXISTS (SELECT FROM silent)
           OR EXISTS (SELECT FROM near WHERE coalesce(finished_at, 'infinity') >= $5) AS under_way,
         bool_or(state = 'dead-lettered') AS dead, max(updated_at) AS latest
    FROM said`;
