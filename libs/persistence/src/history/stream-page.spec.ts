import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planPage, type StreamHead } from './stream-page.js';

interface Record extends StreamHead {
  mine: boolean;
}

const record = fc.record({ mine: fc.boolean(), size: fc.nat(40), later: fc.integer({ min: -3, max: 9 }) });

/** Partitions of a log, with times that may go back a little, and how far the recorder is with each at each poll. */
const world = fc.record({
  partitions: fc.array(fc.array(record, { maxLength: 30 }), { minLength: 1, maxLength: 5 }),
  limit: fc.integer({ min: 1, max: 8 }),
  bytes: fc.integer({ min: 1, max: 100 }),
  scan: fc.integer({ min: 1, max: 12 }),
  steps: fc.array(fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }), { maxLength: 20 }),
});

function logOf(entries: readonly { mine: boolean; size: number; later: number }[]): Record[] {
  let at = 1_000;
  return entries.map(({ mine, size, later }, offset) => ({ mine, size, offset, at: (at += later) }));
}

describe('a page of the stream', () => {
  it('after page gives each event once, in the order of each partition, whatever is appended and committed between polls', () => {
    fc.assert(
      fc.property(world, ({ partitions, limit, bytes, scan, steps }) => {
        const logs = partitions.map(logOf);
        const recorded = logs.map(() => 0);
        const got: number[][] = logs.map(() => []);
        let position = new Map<number, number>();
        /** One poll, as the statement looks: a bounded range, a bounded number of heads. */
        const poll = (): boolean => {
          const looked = logs.map((log, partition) => {
            const next = position.get(partition) ?? 0;
            const upto = Math.min(recorded[partition] as number, next + scan);
            const heads = log.slice(next, upto).filter(({ mine }) => mine).slice(0, limit); // prettier-ignore
            return { partition, upto, heads };
          });
          const { take, next, more } = planPage(looked, { limit, bytes });
          expect(take.length).toBeLessThanOrEqual(limit);
          const size = take.reduce((sum, head) => sum + head.size, 0);
          expect(size <= bytes || take.length === 1).toBe(true);
          for (const { partition, offset } of take) (got[partition] as number[]).push(offset);
          position = new Map([...position, ...next]);
          return more || looked.some(({ partition, upto }) => upto < (recorded[partition] as number));
        };
        for (const step of steps) {
          for (const [partition, log] of logs.entries())
            recorded[partition] = Math.min(log.length, (recorded[partition] as number) + (step[partition] as number));
          poll();
        }
        for (const [partition, log] of logs.entries()) recorded[partition] = log.length;
        for (let polls = 0; poll(); polls += 1) expect(polls).toBeLessThan(1_000);
        expect(got).toEqual(logs.map((log) => log.filter(({ mine }) => mine).map(({ offset }) => offset)));
      }),
    );
  });

  it('takes whichever partition has the oldest event next, so that a busy one does not keep a quiet one waiting', () => {
    const busy = Array.from({ length: 5 }, (_, offset) => ({ offset, at: offset * 10, size: 1 }));
    const { take, next, more } = planPage(
      [
        { partition: 0, upto: 100, heads: busy },
        { partition: 1, upto: 50, heads: [{ offset: 40, at: 15, size: 1 }] },
      ],
      { limit: 4, bytes: 1_000 },
    );
    expect(take.map(({ partition, offset }) => `${partition}/${offset}`)).toEqual(['0/0', '0/1', '1/40', '0/2']);
    expect([...next]).toEqual([[0, 3], [1, 50]]); // prettier-ignore
    expect(more).toBe(true);
  });

  it('gives one event however large it is', () => {
    const heads = [{ offset: 3, at: 1, size: 9_999 }, { offset: 4, at: 2, size: 1 }]; // prettier-ignore
    const { take, next } = planPage([{ partition: 0, upto: 9, heads }], { limit: 10, bytes: 100 });
    expect(take.map(({ offset }) => offset)).toEqual([3]);
    expect(next.get(0)).toBe(4);
  });
});
