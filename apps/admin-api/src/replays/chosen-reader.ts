import type { OffsetRange, RangeReader, ReadBatch } from '@hookline/kafka';
import type { Queryable } from '@hookline/persistence';

/** What a replay reads with. */
export type ReplayReader = Pick<RangeReader, 'read'>;

/** Offsets between two chosen events that are read with them: to begin another reading costs as much. */
const GAP = 1_000;
/** Chosen events of one partition that are asked for at a time. */
const AHEAD = 1_000;

/** Reads of its ranges only where the deliveries stand that were chosen for a replay: a few of a week are found at once. */
export class ChosenReader implements ReplayReader {
  constructor(
    private readonly reader: ReplayReader,
    private readonly database: Queryable,
    private readonly replayId: string,
  ) {}

  async *read(topic: string, ranges: readonly OffsetRange[], signal?: AbortSignal): AsyncGenerator<ReadBatch> {
    const open = new Map(ranges.filter(({ from, to }) => from < to).map((range) => [range.partition, { ...range }]));
    while (open.size > 0) {
      const parts = await this.nextParts([...open.values()]);
      for (const { partition, to } of [...open.values()]) {
        if (parts.some((part) => part.partition === partition)) continue;
        open.delete(partition);
        yield { partition, records: [], next: to, gone: 0 };
      }
      for await (const batch of this.reader.read(topic, parts, signal)) {
        const range = open.get(batch.partition);
        if (range === undefined) continue;
        range.from = batch.next;
        if (range.from >= range.to) open.delete(batch.partition);
        yield batch;
      }
    }
  }

  /** Of each partition that has any left, the next chosen events that stand near together. */
  private async nextParts(ranges: readonly OffsetRange[]): Promise<OffsetRange[]> {
    const rows = await this.database.query<{ partition: number; offsets: string[] }[]>(NEXT, [
      this.replayId,
      ranges.map(({ partition }) => partition),
      ranges.map(({ from }) => from),
      ranges.map(({ to }) => to),
      AHEAD,
    ]);
    return rows.flatMap(({ partition, offsets }) => {
      const [first, ...others] = offsets.map(Number);
      if (first === undefined) return [];
      let to = first + 1;
      for (const offset of others) {
        if (offset - to > GAP) break;
        to = offset + 1;
      }
      return [{ partition, from: first, to }];
    });
  }
}

const NEXT = `
  SELECT r.partition, ARRAY(
           SELECT DISTINCT c.event_offset FROM replay_choices c
            WHERE c.replay_id = $1 AND c.event_partition = r.partition AND c.event_offset >= r.first AND c.event_offset < r.past
            ORDER BY c.event_offset LIMIT $5) AS offsets
    FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS r(partition, first, past)`;
