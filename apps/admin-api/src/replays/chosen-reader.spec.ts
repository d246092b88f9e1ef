import { describe, expect, it } from '@jest/globals';
import type { OffsetRange, ReadBatch } from '@hookline/kafka';
import { ChosenReader } from './chosen-reader.js';

/** A log that has every offset, read ten at a time; and what was asked of it. */
function logReader(): { read: OffsetRange[]; reader: ConstructorParameters<typeof ChosenReader>[0] } {
  const read: OffsetRange[] = [];
  const reader = {
    async *read(_: string, ranges: readonly OffsetRange[]): AsyncGenerator<ReadBatch> {
      read.push(...ranges);
      for (const { partition, from, to } of ranges)
        for (let at = from; at < to; at += 10) {
          const next = Math.min(at + 10, to);
          const records = Array.from({ length: next - at }, (_, i) => ({ partition, offset: at + i }));
          yield { partition, records: records as ReadBatch['records'], next, gone: 0 };
        }
    },
  };
  return { read, reader };
}

/** As the table of choices would answer. */
function choices(chosen: Record<number, number[]>): ConstructorParameters<typeof ChosenReader>[1] {
  const query = async (_: string, [, partitions, first, past, limit]: unknown[] = []): Promise<unknown> =>
    (partitions as number[]).map((partition, i) => ({
      partition,
      offsets: (chosen[partition] ?? [])
        .filter((offset) => offset >= (first as number[])[i]! && offset < (past as number[])[i]!)
        .slice(0, Number(limit))
        .map(String),
    }));
  return { query } as ConstructorParameters<typeof ChosenReader>[1];
}

async function all(chosen: Record<number, number[]>, ranges: OffsetRange[]) {
  const { read, reader } = logReader();
  const offsets: string[] = [];
  const ends = new Map<number, number>();
  for await (const batch of new ChosenReader(reader, choices(chosen), 'rpl').read('events', ranges)) {
    offsets.push(...batch.records.map(({ partition, offset }) => `${partition}:${offset}`));
    ends.set(batch.partition, batch.next);
  }
  return { read, offsets, ends: Object.fromEntries(ends) };
}

describe('the reader of chosen deliveries', () => {
  it('reads where they stand, and not what lies between them', async () => {
    const far = 50_000_000;
    const { read, offsets, ends } = await all({ 0: [5, 9, far], 1: [7] }, [
      { partition: 0, from: 5, to: far + 1 },
      { partition: 1, from: 7, to: 8 },
    ]);
    expect(read).toEqual([
      { partition: 0, from: 5, to: 10 },
      { partition: 1, from: 7, to: 8 },
      { partition: 0, from: far, to: far + 1 },
    ]);
    expect(offsets).toEqual(expect.arrayContaining(['0:5', '0:9', `0:${far}`, '1:7']));
    expect(ends).toEqual({ 0: far + 1, 1: 8 });
  });

  it('reads all of them, however many stand near together, and ends where its ranges do', async () => {
    const chosen = Array.from({ length: 2_500 }, (_, i) => 100 + i * 3);
    const { offsets, ends } = await all({ 0: chosen }, [{ partition: 0, from: 100, to: 20_000 }]);
    const found = new Set(offsets);
    expect(chosen.filter((offset) => !found.has(`0:${offset}`))).toEqual([]);
    expect(found.size).toBe(offsets.length);
    expect(ends).toEqual({ 0: 20_000 });
  });

  it('goes on where it was interrupted', async () => {
    const { read } = await all({ 0: [5, 9, 5_000] }, [{ partition: 0, from: 6, to: 5_001 }]);
    expect(read).toEqual([
      { partition: 0, from: 9, to: 10 },
      { partition: 0, from: 5_000, to: 5_001 },
    ]);
  });
});
