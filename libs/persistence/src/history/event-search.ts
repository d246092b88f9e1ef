import { TOPICS } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import { EVENT_COLUMNS, EVENT_JOINS, toEvent, type EventRow, type RecordedEvent } from './event-row.js';
import { searchPage } from './search-page.js';

export interface EventFilter {
  tenantId: string;
  /** Exact, `prefix.*` or `*`. */
  type?: string;
  key?: string;
  /** By append time; `to` is exclusive. */
  from: Date;
  to: Date;
}

/** By partition, above which offset nothing is left, exclusive. */
export type SearchPlaces = ReadonlyMap<number, number>;

/**
 * Finds events by time, newest first. There is no index by tenant or time, which would cost the recorder with each event: a
 * page looks through a bounded number of offsets of each partition, from its top down, and may be short, or empty, where
 * little of that is wanted.
 */
export class EventSearch {
  /** @param rows that a page looks through at most, over all partitions */
  constructor(
    private readonly database: Queryable,
    private readonly rows: number,
  ) {}

  /**
   * @param places where the page before has ended; undefined: at the top
   * @returns the places are undefined where nothing is left
   */
  async page(
    filter: EventFilter,
    limit: number,
    places: SearchPlaces | undefined,
  ): Promise<{ events: RecordedEvent[]; next: SearchPlaces | undefined }> {
    const { tenantId, type = '*', key, from, to } = filter;
    const lanes = await this.database.query<LaneRow[]>(LOOK, [
      places === undefined ? null : [...places.keys()],
      places === undefined ? null : [...places.values()],
      TOPICS.events,
      this.rows,
      tenantId,
      type === '*' || type.endsWith('.*') ? null : type,
      type === '*' || !type.endsWith('.*') ? null : type.slice(0, -1),
      key ?? null,
      from,
      to,
      limit,
    ]);
    const looked = lanes.map(({ partition, low, below, offsets, times }) => ({
      partition,
      low: Number(low),
      below: below === null || below < from ? undefined : below.getTime(),
      heads: (offsets ?? []).map((offset, i) => ({ offset: Number(offset), at: times?.[i]?.getTime() ?? 0 })),
    }));
    const { take, tops } = searchPage(looked, limit);
    return { events: await this.events(take), next: tops.size === 0 ? undefined : tops };
  }

  /**
   * Where a search ends upwards that is about an earlier time: by halves, for the times of a partition ascend.
   * @param to exclusive
   */
  async placesBefore(to: Date): Promise<SearchPlaces> {
    const rows = await this.database.query<{ partition: number; top: string }[]>(BEFORE, [TOPICS.events, to]);
    return new Map(rows.map(({ partition, top }) => [partition, Number(top)]));
  }

  private async events(places: readonly { partition: number; offset: number; at: number }[]): Promise<RecordedEvent[]> {
    const [newest, oldest] = [places[0], places.at(-1)];
    if (newest === undefined || oldest === undefined) return [];
    const rows = await this.database.query<EventRow[]>(ROWS, [
      places.map(({ partition }) => partition),
      places.map(({ offset }) => offset),
      places.map(({ at }) => new Date(at)),
      new Date(oldest.at),
      new Date(newest.at),
    ]);
    return rows.map(toEvent);
  }
}

interface LaneRow {
  partition: number;
  low: string;
  below: Date | null;
  offsets: string[] | null;
  times: Date[] | null;
}

/**
 * $1, $2 places or null; $3 the topic; $4 offsets to look through; $5 tenant; $6 exact type, $7 prefix, $8 key, or null;
 * $9, $10 times; $11 heads of each partition
 */
const LOOK = `
  WITH tops AS (
    SELECT o.partition, CASE WHEN $1::int4[] IS NULL THEN o.next_offset ELSE k.top END AS top, count(*) OVER () AS lanes
      FROM recorder_offsets o LEFT JOIN unnest($1::int4[], $2::int8[]) AS k(partition, top) ON k.partition = o.partition
     WHERE o.topic = $3 AND ($1::int4[] IS NULL OR k.top IS NOT NULL)
  ), lanes AS (
    SELECT partition, top, greatest(0, top - greatest(1, $4::int8 / lanes)) AS low FROM tops
  )
  SELECT l.partition, l.low, b.appended_at AS below, h.offsets, h.times
    FROM lanes l
    CROSS JOIN LATERAL (
      SELECT array_agg(e."offset" ORDER BY e."offset" DESC) AS offsets,
             array_agg(e.appended_at ORDER BY e."offset" DESC) AS times
        FROM (
          SELECT e."offset", e.appended_at FROM events e
           WHERE e.partition = l.partition AND e."offset" >= l.low AND e."offset" < l.top AND e.tenant_id = $5
             AND e.appended_at >= $9 AND e.appended_at < $10
             AND ($6::text IS NULL OR e.type = $6) AND ($7::text IS NULL OR starts_with(e.type, $7))
             AND ($8::text IS NULL OR e.key = $8)
           ORDER BY e."offset" DESC LIMIT $11
        ) e
    ) h
    LEFT JOIN LATERAL (
      SELECT e.appended_at FROM events e WHERE e.partition = l.partition AND e."offset" < l.low
       ORDER BY e."offset" DESC LIMIT 1
    ) b ON true
   ORDER BY l.partition`;

/** $1 the topic, $2 the time. What is appended before it stands below `low`; what is not, at or above `high`. */
const BEFORE = `
  WITH RECURSIVE halves(partition, low, high) AS (
    SELECT partition, 0::int8, next_offset FROM recorder_offsets WHERE topic = $1
    UNION ALL
    SELECT s.partition, CASE WHEN e.appended_at < $2 THEN m.middle + 1 ELSE s.low END,
           CASE WHEN e.appended_at < $2 THEN s.high ELSE m.middle END
      FROM halves s CROSS JOIN LATERAL (SELECT (s.low + s.high) / 2 AS middle) m
      LEFT JOIN LATERAL (
        SELECT e.appended_at FROM events e
         WHERE e.partition = s.partition AND e."offset" >= m.middle AND e."offset" < s.high ORDER BY e."offset" LIMIT 1
      ) e ON true
     WHERE s.low < s.high
  ) SELECT partition, low AS top FROM halves WHERE low >= high`;

/** $1 partitions, $2 offsets, $3 append times; $4, $5 the first and last of these, to leave out the other days */
const ROWS = `
  SELECT ${EVENT_COLUMNS}
    FROM unnest($1::int4[], $2::int8[], $3::timestamptz[]) AS p(partition, "offset", appended_at)
    JOIN events e ON e.partition = p.partition AND e."offset" = p."offset" AND e.appended_at = p.appended_at
    ${EVENT_JOINS}
   WHERE e.appended_at BETWEEN $4 AND $5
   ORDER BY e.appended_at DESC, e.partition DESC, e."offset" DESC`;
