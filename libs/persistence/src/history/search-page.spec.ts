import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { searchPage, type LookedThrough } from './search-page.js';

interface Row {
  offset: number;
  at: number;
  wanted: boolean;
}

/** As the database looks through a partition: `span` offsets down from the top. */
function look(partition: number, rows: readonly Row[], top: number, span: number, limit: number): LookedThrough {
  const low = Math.max(0, top - span);
  const heads = rows
    .slice(low, top)
    .filter(({ wanted }) => wanted)
    .reverse()
    .slice(0, limit);
  return { partition, low, below: rows[low - 1]?.at, heads: heads.map(({ offset, at }) => ({ offset, at })) };
}

describe('a search through the partitions', () => {
  const lane = fc
    .array(fc.record({ step: fc.nat({ max: 20 }), wanted: fc.boolean() }), { maxLength: 40 })
    .map((steps) => {
      let at = 0;
      return steps.map(({ step, wanted }, offset): Row => ({ offset, at: (at += step), wanted }));
    });

  it('finds each once, newest first over all pages, however far each look goes', () => {
    fc.assert(
      fc.property(
        fc.array(lane, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 7 }),
        (lanes, limit, span) => {
          const found: { partition: number; offset: number; at: number }[] = [];
          let tops = new Map(lanes.map((rows, partition) => [partition, rows.length]));
          // Each page moves on by one offset at least.
          for (let pages = 0; tops.size > 0 && pages < 1_000; pages += 1) {
            const looked = [...tops].map(([partition, top]) =>
              look(partition, lanes[partition] ?? [], top, span, limit),
            );
            const page = searchPage(looked, limit);
            expect(page.take.length).toBeLessThanOrEqual(limit);
            found.push(...page.take);
            tops = page.tops;
          }
          const expected = lanes.flatMap((rows, partition) =>
            rows.filter(({ wanted }) => wanted).map(({ offset }) => `${partition}:${offset}`),
          );
          expect(found.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual(expected.sort());
          expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).sort((a, b) => b - a));
        },
      ),
    );
  });

  it('takes nothing that is older than what another partition may still have', () => {
    const quick = {
      partition: 0,
      low: 10,
      below: 50,
      heads: [
        { offset: 12, at: 60 },
        { offset: 11, at: 40 },
      ],
    };
    const slow = {
      partition: 1,
      low: 0,
      below: undefined,
      heads: [
        { offset: 3, at: 55 },
        { offset: 1, at: 20 },
      ],
    };
    const { take, tops } = searchPage([quick, slow], 10);
    expect(take.map(({ at }) => at)).toEqual([60, 55]);
    expect([...tops]).toEqual([
      [0, 12],
      [1, 2],
    ]);
  });
});
