import { describe, expect, it } from '@jest/globals';
import type { Session } from '@hookline/persistence';
import type { CompactedTail } from './compacted-tail.js';
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

describe('what is known of earlier versions', () => {
  it('is the newest of what was written, what the topic says and what the database keeps', async () => {
    const version = (number: number, from: number) => {
      return { version: number, live: true, types: ['*'], holdsFrom: { '0': from }, before: [] };
    };
    const tail = { stamped: () => version(4, 20) } as unknown as CompactedTail;
    const session = { query: async () => [{ id: 'sub_a', stamped: version(5, 50) }] } as unknown as Session;
    const stamps = new VersionStamps(tail);
    await stamps.recall(session, [record(5)], ends(90));
    expect(stamps.again(record(5))).toMatchObject({ holdsFrom: { 0: 50 } });
    const changed = { ...record(6), types: ['a'] };
    expect(stamps.stamp(changed, ends(90))).toMatchObject({
      holdsFrom: { 0: 90 },
      before: [{ version: 5, holdsFrom: { 0: 50 } }],
    });
    expect(stamps.stamp(record(7), ends(95)).before?.[0]).toMatchObject({ version: 6, types: ['a'] });
  });
});
