import type { LogPosition } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';

/** One event whose payload is out of the history. */
export interface Expunged extends LogPosition {
  expungedAt: Date;
}

/** What the deliveries of an event say of where else its payload may be. */
export interface CopiesOf {
  /** Deliveries that are not over: their payload goes on through the lanes. */
  open: number;
  /** Deliveries that are dead letters. */
  deadLettered: number;
  /** When something last happened to one of them; null if there is none. */
  latest: Date | null;
}

/** Takes payloads out of the history: the data of events, and what endpoints answered, for many answer with what they got. */
export class ExpungedPayloads {
  constructor(private readonly database: Queryable) {}

  /**
   * Every event of the tenant with this id, repeats included; one that was expunged before keeps its time.
   * @returns none if history has no such event
   */
  async expunge(tenantId: string, eventId: string): Promise<Expunged[]> {
    const rows = await this.database.query<ExpungedRow[]>(EXPUNGE, [eventId, tenantId]);
    return rows.map((row) => ({
      partition: row.partition,
      offset: Number(row.offset),
      at: row.appended_at.getTime(),
      expungedAt: row.expunged_at,
    }));
  }

  async copiesOf(positions: readonly LogPosition[]): Promise<CopiesOf> {
    const [row] = await this.database.query<{ open: string; dead: string; latest: Date | null }[]>(COPIES, [
      positions.map(({ partition }) => partition),
      positions.map(({ offset }) => offset),
      positions.map(({ at }) => new Date(at)),
    ]);
    return { open: Number(row?.open ?? 0), deadLettered: Number(row?.dead ?? 0), latest: row?.latest ?? null };
  }

  /** The offsets from `from` (inclusive) to `to` (exclusive) whose payload was expunged. */
  async among(partition: number, from: number, to: number): Promise<Set<number>> {
    const rows = await this.database.query<{ offset: string }[]>(
      'SELECT "offset" FROM events WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3 AND expunged_at IS NOT NULL',
      [partition, from, to],
    );
    return new Set(rows.map(({ offset }) => Number(offset)));
  }
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
    UPDATE events SET payload = '', expunged_at = coalesce(expunged_at, now())
     WHERE hashtextextended(event_id, 0) = hashtextextended($1::text COLLATE "C", 0) AND event_id = $1::text
       AND tenant_id = $2
     RETURNING partition, "offset", appended_at, expunged_at
  ), answers AS (
    UPDATE attempts a SET response_body = NULL, response_headers = NULL
      FROM hit JOIN deliveries d
        ON d.event_partition = hit.partition AND d.event_offset = hit."offset" AND d.event_at = hit.appended_at
     WHERE a.delivery_id = d.delivery_id AND coalesce(a.response_body, a.response_headers) IS NOT NULL
  )
  SELECT * FROM hit ORDER BY partition, "offset"`;

const COPIES = `
  SELECT count(*) FILTER (WHERE d.state IN ('pending', 'retrying')) AS open,
         count(*) FILTER (WHERE d.state = 'dead-lettered') AS dead, max(d.updated_at) AS latest
    FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[]) AS e(partition, "offset", at)
    JOIN deliveries d ON d.event_partition = e.partition AND d.event_offset = e."offset" AND d.event_at = e.at`;
