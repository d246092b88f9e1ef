import { describe, expect, it } from '@jest/globals';
import { encodeEventHeaders } from '@hookline/contracts';
import { sharedRanges, SliceMatcher } from './slice-reading.js';
import type { Slice } from './slices.js';

const slice = (id: string, next: number, to: number, changes: Partial<Slice> = {}): Slice & { epoch: number } => ({
  subscriptionId: id,
  version: 1,
  tenantId: 'ten_1',
  versions: [{ version: 1, live: true, more: true, types: ['a.b'], holdsFrom: { '0': next } }],
  endsAt: 0,
  partitions: { '0': { next, to } },
  epoch: 0,
  ...changes,
});

describe('slices', () => {
  it('that are near each other share one reading; those far behind them wait', () => {
    expect(sharedRanges([slice('s1', 50, 100), slice('s2', 10, 60), slice('s3', 9_000, 9_100)])).toEqual([
      { partition: 0, from: 10, to: 9_100 },
    ]);
    expect(sharedRanges([slice('s1', 50, 100), slice('s2', 1_000_000, 1_000_100)])).toEqual([
      { partition: 0, from: 50, to: 100 },
    ]);
    expect(sharedRanges([slice('s1', 100, 100)])).toEqual([]);
  });

  it('bring an event once to each subscription that takes it there', () => {
    const widened = slice('s1', 15, 30, {
      version: 2,
      versions: [{ version: 2, live: true, more: true, types: ['a.b', 'c.d'], holdsFrom: { '0': 15 } }],
    });
    const first = slice('s1', 10, 20);
    const matcher = new SliceMatcher([
      { ...first, versions: [...first.versions, ...widened.versions] },
      widened,
      slice('s2', 18, 40),
    ]);
    const records = [9, 10, 16, 18, 19, 25, 40].map((offset) => ({
      topic: 'hookline.events',
      partition: 0,
      offset,
      timestamp: 0,
      key: null,
      value: Buffer.from('{}'),
      headers: encodeEventHeaders({
        tenant: offset === 19 ? 'ten_2' : 'ten_1',
        id: `evt_${offset}`,
        type: offset === 16 ? 'c.d' : 'a.b',
        time: '2026-01-01T00:00:00Z',
      }),
    }));
    const found = matcher.candidates({ partition: 0, records, next: 41, gone: 0 });
    expect(found.map(({ position, slice: { subscriptionId } }) => `${position.offset} ${subscriptionId}`)).toEqual([
      '10 s1',
      '16 s1',
      '18 s1',
      '18 s2',
      '25 s1',
      '25 s2',
    ]);
  });
});
