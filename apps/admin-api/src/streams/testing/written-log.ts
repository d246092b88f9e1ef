import { TOPICS, type LogPosition } from '@hookline/contracts';
import { createPool, DayPartitions, HistoryWriter, type HistoryBatch } from '@hookline/persistence';
import type { Pool } from 'pg';
import { adminSettings } from '../../testing/admin-rig.js';

export interface WrittenEvent {
  partition: number;
  offset: number;
  tenant: string;
  /** `evt-<partition>-<offset>` where it is left out. */
  id?: string;
  type?: string;
  key?: string;
  payload?: string;
  /** Append time, ms since the epoch. */
  at?: number;
}

/** The time at which events of a test are appended, where it doesn't matter. */
export const NOON = Date.UTC(2026, 10, 20, 12);

/** Writes history as the recorder does, with the offsets that move, without a log behind it. */
export class WrittenLog {
  readonly days = new DayPartitions();
  private readonly pool: Pool;
  private readonly writer: HistoryWriter;
  private readonly next = new Map<number, number>();

  constructor(databaseUrl: string) {
    this.pool = createPool(adminSettings(databaseUrl).database, () => undefined);
    this.writer = new HistoryWriter(this.pool, this.days);
  }

  /** One transaction; an offset that is further than the next one was jumped over. */
  async write(events: readonly WrittenEvent[]): Promise<void> {
    const moves = [...new Set(events.map(({ partition }) => partition))].map((partition) => {
      const offsets = events.filter((event) => event.partition === partition).map(({ offset }) => offset);
      const [first, last] = [offsets[0] as number, offsets.at(-1) as number];
      return { topic: TOPICS.events, partition, expected: this.next.get(partition) ?? 0, first, next: last + 1 };
    });
    await this.pool.query(
      'INSERT INTO recorder_offsets SELECT $1, p, 0 FROM unnest($2::int4[]) AS p ON CONFLICT DO NOTHING',
      [TOPICS.events, moves.map(({ partition }) => partition)],
    );
    await this.writer.write({ moves, events: events.map(toRecord), outcomes: [] }, new AbortController().signal);
    for (const { partition, next } of moves) this.next.set(partition, next);
  }

  /** As the outcome of a worker says it: this event repeats that one. */
  async duplicate({ partition, offset, at = NOON }: WrittenEvent, of: number): Promise<void> {
    const source: LogPosition = { partition, offset, at };
    const outcome = { v: 1, tenant: 't', eventId: 'e', type: 't', source, matched: [], duplicateOf: of } as const;
    await this.writer.write(
      { moves: [], events: [], outcomes: [{ position: source, outcome: { ...outcome, matched: [] } }] },
      new AbortController().signal,
    );
  }

  /** Drops the days before this time, as the recorder does. */
  dropBefore(at: number): Promise<string[]> {
    return this.days.dropBefore(this.pool, at);
  }

  async query(sql: string): Promise<void> {
    await this.pool.query(sql);
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

function toRecord(event: WrittenEvent): HistoryBatch['events'][number] {
  const { partition, offset, tenant, id = `evt-${partition}-${offset}`, type = 'order.created', at = NOON } = event;
  return {
    position: { partition, offset, at },
    envelope: {
      tenant,
      id,
      type,
      time: '2026-11-20T12:00:00Z',
      ...(event.key === undefined ? {} : { key: event.key }),
    },
    payload: Buffer.from(event.payload ?? '{}'),
  };
}
