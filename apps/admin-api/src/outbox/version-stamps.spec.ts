import { describe, expect, it } from '@jest/globals';
import { VersionStamps } from './version-stamps.js';

const record = (version: number, epoch?: number) => ({
  v: 1 as const,
  version,
  id: 'sub_a',
  tenant: 'ten_a',
  url: 'https://example.com/',
  types: ['*'],
  status: 'enabled' as const,
  sealed: '',
  ...(epoch !== undefined && { epoch }),
});

const ends = (high: number) => [{ partition: 0, low: 0, high }];

describe('the positions of an epoch', () => {
  it('are those of the version that began it, also in the versions after it and when it is written again', () => {
    const stamps = new VersionStamps(undefined);
    expect(stamps.stamp(record(1), ends(10)).epochFrom).toBeUndefined();
    expect(stamps.stamp(record(2, 1), ends(20))).toMatchObject({ holdsFrom: { 0: 20 }, epochFrom: { 0: 20 } });
    expect(stamps.stamp(record(3, 1), ends(30))).toMatchObject({ holdsFrom: { 0: 30 }, epochFrom: { 0: 20 } });
    expect(stamps.again(record(3, 1))).toMatchObject({ holdsFrom: { 0: 30 }, epochFrom: { 0: 20 } });
    const fourth = stamps.stamp(record(4, 2), ends(40));
    expect(fourth).toMatchObject({ epoch: 2, epochFrom: { 0: 40 } });
    // What held before travels without its epoch.
    for (const before of fourth.before ?? [])
      expect(Object.keys(before).sort()).toEqual(['holdsFrom', 'live', 'types', 'version']);
  });
});
