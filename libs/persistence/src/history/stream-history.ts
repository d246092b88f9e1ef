import { TOPICS, type LogPosition } from '@hookline/contracts';
import type { Queryable } from '../migrate.js';
import type { StreamPosition } from './stream-cursor.js';
import { gapsAt, type NotedGap, type StreamGap } from './stream-gaps.js';
import { planPage, type LookedOver, type PagePlan } from './stream-page.js';
import { EDGES, FIRST, LOOK, NEWS, ROWS } from './stream-sql.js';

export interface StreamQuery {
  tenantId: string;
  /** Exact types, `prefix.*` or `*`. */
  types: readonly string[];
  position: StreamPosition;
  /** Events, and bytes of their data, at most; one event goes however large it is. */
  limit: number;
  bytes: number;
}

/** An event as a poll gives it. */
export interface StreamEvent extends LogPosition {
  id: string;
  type: string;
  /** As the publisher wrote it. */
  time: string;
  key: string | null;
  /** The bytes that were published; null where they were removed since. */
  payload: Buffer | null;
}

export interface StreamPage {
  events: StreamEvent[];
  /** Where the next poll begins: past everything that was looked over. */
  position: StreamPosition;
  /** There is something left that can be read at once. */
  more: boolean;
  /** Where the reader stands before something that is gone; nothing is read then, and the position is behind it. */
  gaps: StreamGap[];
  /** Partitions in which the reader is further than the recorder, with where it stands. */
  ahead: ReadonlyMap<number, number>;
}

/** What has come in one partition. */
export interface StreamNews {
  partition: number;
  /** It was looked over up to here. */
  upto: number;
  /** Tenant and type of what was found, each pair once. */
  found: { tenantId: string; type: string }[];
  /** Something in it is gone. */
  gap: boolean;
}

/** How often a page is planned anew when rows vanish before they are read: a day was dropped, or the server crashed. */
const ATTEMPTS = 3;

/**
 * The events of a tenant in the order of the log, out of what the recorder has written completely: never past the offset
 * that it has committed with its rows, so that nothing turns up behind a reader. What history knows to be a
 * duplicate is left out; one that is not known as one yet is not.
 */
export class StreamHistory {
  /** @param scan offsets that are looked over at a time at most, over all partitions */
  constructor(
    private readonly database: Queryable,
    private readonly scan: number,
  ) {}

  async read(query: StreamQuery): Promise<StreamPage> {
    for (let attempt = 1; ; attempt += 1) {
      const partitions = (await this.look(query)).map(toPartition);
      const gaps = partitions.flatMap(({ partition, next, gaps: noted }) => gapsAt(partition, next, noted));
      const ahead = aheadOf(query.position, partitions);
      if (gaps.length > 0) return { events: [], position: behind(query.position, gaps), more: true, gaps, ahead };
      const within = partitions.filter(({ next, recorded }) => next <= recorded);
      const plan = planPage(within, query);
      const events = await this.rows(plan.take);
      if (events.length < plan.take.length && attempt < ATTEMPTS) continue;
      if (events.length < plan.take.length) throw new Error('events that were found can not be read');
      const cut = within.some(({ upto, recorded }) => upto < recorded);
      return {
        events,
        position: new Map([...query.position, ...plan.next]),
        more: plan.more || cut,
        gaps,
        ahead,
      };
    }
  }

  /** Where the recorder stands; a partition that it has not begun yet may be missing. */
  async recorded(): Promise<StreamPosition> {
    const rows = await this.database.query<{ partition: number; next_offset: string }[]>(
      'SELECT partition, next_offset FROM recorder_offsets WHERE topic = $1',
      [TOPICS.events],
    );
    return new Map(rows.map((row) => [row.partition, Number(row.next_offset)]));
  }

  /** What has come for any of these tenants since the position; partitions where nothing came are left out. */
  async news(position: StreamPosition, tenantIds: readonly string[]): Promise<StreamNews[]> {
    const rows = await this.database.query<NewsRow[]>(NEWS, [
      ...columns(position),
      tenantIds,
      this.scan,
      TOPICS.events,
    ]);
    return rows.map(({ partition, upto, tenants, types, gap }) => ({
      partition,
      upto: Number(upto),
      found: (tenants ?? []).map((tenantId, index) => ({ tenantId, type: types?.[index] as string })),
      gap,
    }));
  }

  /**
   * The first event of a partition that history still has, of whichever tenant.
   * @param at appended then or later, ms since the epoch; null: the first of all
   * @param below before this offset
   */
  async first(partition: number, at: number | null, below: number): Promise<number | undefined> {
    const [row] = await this.database.query<{ first: string | null }[]>(FIRST, [
      partition,
      at === null ? null : new Date(at),
      below,
    ]);
    return row && row.first !== null ? Number(row.first) : undefined;
  }

  /** Append times of the events beside a gap, of whichever tenant, ms since the epoch; null where there is none. */
  async edges({ partition, from, to }: StreamGap): Promise<{ before: number | null; after: number | null }> {
    const [row] = await this.database.query<{ before: Date | null; after: Date | null }[]>(EDGES, [
      partition,
      from,
      to,
    ]);
    return { before: row?.before?.getTime() ?? null, after: row?.after?.getTime() ?? null };
  }

  private look({ tenantId, types, position, limit }: StreamQuery): Promise<LookRow[]> {
    const all = types.includes('*');
    const exact = all ? null : types.filter((type) => !type.endsWith('.*'));
    const prefixes = all ? null : types.filter((type) => type.endsWith('.*')).map((type) => type.slice(0, -1));
    const share = Math.ceil(this.scan / Math.max(1, position.size));
    return this.database.query<LookRow[]>(LOOK, [
      ...columns(position),
      tenantId,
      exact,
      prefixes,
      limit,
      share,
      TOPICS.events,
    ]);
  }

  private async rows(take: PagePlan['take']): Promise<StreamEvent[]> {
    if (take.length === 0) return [];
    const times = take.map(({ at }) => at);
    const rows = await this.database.query<EventRow[]>(ROWS, [
      take.map(({ partition }) => partition),
      take.map(({ offset }) => offset),
      times.map((at) => new Date(at)),
      new Date(times.reduce((a, b) => Math.min(a, b))),
      new Date(times.reduce((a, b) => Math.max(a, b))),
    ]);
    const found = new Map(rows.map((row) => [`${row.partition}/${row.offset}`, row]));
    return take.flatMap(({ partition, offset }) => {
      const row = found.get(`${partition}/${offset}`);
      return row ? [toEvent(row)] : [];
    });
  }
}

interface LookRow {
  partition: number;
  next: string;
  recorded: string;
  upto: string;
  gaps: NotedGap[] | null;
  offsets: string[] | null;
  times: Date[] | null;
  sizes: number[] | null;
}

interface NewsRow {
  partition: number;
  upto: string;
  tenants: string[] | null;
  types: string[] | null;
  gap: boolean;
}

interface EventRow {
  partition: number;
  offset: string;
  appended_at: Date;
  event_id: string;
  type: string;
  time: string;
  key: string | null;
  payload: Buffer;
}

interface Partition extends LookedOver {
  next: number;
  recorded: number;
  gaps: readonly NotedGap[];
}

function toPartition(row: LookRow): Partition {
  const { offsets, times, sizes } = row;
  const heads = (offsets ?? []).map((offset, index) => ({
    offset: Number(offset),
    at: Number(times?.[index]),
    size: Number(sizes?.[index]),
  }));
  const [next, upto, recorded] = [Number(row.next), Number(row.upto), Number(row.recorded)];
  return { partition: row.partition, next, upto, recorded, heads, gaps: row.gaps ?? [] };
}

/** Partitions that the recorder has not begun stand at 0. */
function aheadOf(position: StreamPosition, partitions: readonly Partition[]): Map<number, number> {
  const recorded = new Map(partitions.map((looked) => [looked.partition, looked.recorded]));
  return new Map([...position].filter(([partition, next]) => next > (recorded.get(partition) ?? 0)));
}

function behind(position: StreamPosition, gaps: readonly StreamGap[]): StreamPosition {
  return new Map([...position, ...gaps.map(({ partition, to }) => [partition, to] as const)]);
}

function columns(position: StreamPosition): [number[], number[]] {
  return [[...position.keys()], [...position.values()]];
}

function toEvent(row: EventRow): StreamEvent {
  return {
    partition: row.partition,
    offset: Number(row.offset),
    at: row.appended_at.getTime(),
    id: row.event_id,
    type: row.type,
    time: row.time,
    key: row.key,
    // What was published has bytes; they are gone where the payload was expunged.
    payload: row.payload.length === 0 ? null : row.payload,
  };
}
