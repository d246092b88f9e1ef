import { describe, expect, it } from '@jest/globals';
import { atLeast, atMost, ratio } from './aim.js';
import { latencyOf, percentile, waysOf } from './latency.js';
import { overtakenBy, paceOf } from './overtaken.js';
import { faultsOf, reconcile } from './reconcile.js';
import { formatTable } from './table.js';

const sent = (id: string) => ({ id, type: 'a', begin: 0, end: 1 });
const events: [string, number, number][] = [
  ['a', 1, 2],
  ['c', 3, 1],
  ['x', 1, 1],
];

describe('reconcile', () => {
  it('sees what a sum would hide: one lost and another one twice', () => {
    const found = reconcile([sent('a'), sent('b'), sent('c')], { events });
    expect(found).toEqual({ lost: 1, repeated: 1, unexpected: 1 });
    expect(faultsOf('of the run', found)).toHaveLength(2);
    expect(faultsOf('of the run', { lost: 0, repeated: 0, unexpected: 5 })).toEqual([]);
  });
});

describe('latency', () => {
  it('has percentiles that occur', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([50, 99, 100].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([], 50)).toBe(0);
  });

  it('leaves out what did not come', () => {
    const ways = waysOf([sent('a'), sent('b'), sent('c')], { requests: 4, events });
    expect(latencyOf(ways)).toEqual({ events: 2, p50Ms: 1, p99Ms: 3, maxMs: 3 });
  });
});

describe('who was overtaken', () => {
  const at = (...times: number[]): [string, number, number][] => times.map((time, i) => [`e${i}`, time, 1]);

  it('is counted by what arrived between the answer and the arrival, itself not', () => {
    const report = { requests: 4, events: at(1, 5, 3, 4) };
    // One that was there before its publisher had the answer was overtaken by none.
    expect(overtakenBy([sent('e1'), sent('e2'), sent('e0'), sent('gone')], report)).toEqual([3, 1, 0]);
  });

  it('is told beside the pace of that time', () =>
    expect(paceOf({ requests: 4, events: at(0, 10, 400, 500) }, 0, 500)).toBe(6));
});

describe('an aim', () => {
  it('is met at its limit, and never by nothing', () => {
    expect([atMost('x', 1.2, 1.2).met, atMost('x', 1.21, 1.2).met, atLeast('x', 9, 10).met]).toEqual([
      true,
      false,
      false,
    ]);
    expect(atMost('x', ratio(1, 0), 1.2).met).toBe(false);
    expect(ratio(1, 3)).toBe(0.33);
  });
});

describe('a table', () => {
  it('stands in columns', () => {
    expect(
      formatTable({
        head: ['', 'p99'],
        rows: [
          ['long name', 1],
          ['b', 10],
        ],
      }),
    ).toBe(['           p99', 'long name    1', 'b           10'].join('\n'));
  });
});
