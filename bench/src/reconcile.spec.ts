import { describe, expect, it } from '@jest/globals';
import { percentile, reconcile } from './reconcile.js';

const sent = (id: string) => ({ id, begin: 0, end: 1 });

describe('reconcile', () => {
  it('sees what a sum would hide: one lost and another one twice', () => {
    const report = {
      requests: 4,
      cpuSeconds: 0,
      events: [
        ['a', 1, 2],
        ['c', 1, 1],
        ['x', 1, 1],
      ] as [string, number, number][],
    };
    expect(reconcile([sent('a'), sent('b'), sent('c')], report)).toEqual({ lost: 1, repeated: 1, unexpected: 1 });
  });
});

describe('percentile', () => {
  it('is a value that occurs', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([50, 99, 100].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([], 50)).toBe(0);
  });
});
