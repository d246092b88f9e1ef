import { describe, expect, it } from '@jest/globals';
import { parseBoundary, resolveRange, type RangeLog } from './range.js';

const log: RangeLog = {
  bounds: async () => [
    { partition: 0, low: 10, high: 50 },
    { partition: 1, low: 0, high: 20 },
  ],
  at: async () =>
    new Map([
      [0, 30],
      [1, 20],
    ]),
};

const resolve = (from?: string, to?: string) =>
  resolveRange(parseBoundary(from, '--from'), parseBoundary(to, '--to'), log);

describe('a range of the log', () => {
  it('is all that there is by default, and ends where the log does now', async () => {
    expect(await resolve()).toEqual({
      ranges: [
        { partition: 0, from: 10, to: 50 },
        { partition: 1, from: 0, to: 20 },
      ],
      gone: [],
    });
  });

  it('begins at a time in each partition, and leaves out where nothing was appended since', async () => {
    expect((await resolve('2026-01-31T12:00:00Z')).ranges).toEqual([{ partition: 0, from: 30, to: 50 }]);
  });

  it('is of the partitions that are named, and says what of them is gone', async () => {
    expect(await resolve('0:5', '0:12')).toEqual({
      ranges: [{ partition: 0, from: 10, to: 12 }],
      gone: [{ partition: 0, from: 5, to: 10 }],
    });
  });

  it.each([
    ['yesterday', undefined, /--from is an RFC 3339 time/],
    ['2026-13-45T00:00:00Z', undefined, /--from is an RFC 3339 time/],
    ['0:1,0:2', undefined, /--from names partition 0 twice/],
    ['7:1', undefined, /--from names partition 7; hookline.events has 0 to 1/],
    [undefined, '1:21', /--to names offset 21 of partition 1, which ends at 20/],
    ['0:40', '0:30', /--from \(40\) is behind --to \(30\) in partition 0/],
  ])('refuses --from %s --to %s', async (from, to, message) => {
    await expect((async () => resolve(from, to))()).rejects.toThrow(message);
  });
});
