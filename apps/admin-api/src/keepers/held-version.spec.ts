import { describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { heldVersionOf, takesAt, type HeldVersion } from './held-version.js';

const record = (changes: Partial<SubscriptionRecord>): SubscriptionRecord => ({
  v: 1,
  version: 2,
  id: 'sub_1',
  tenant: 'ten_1',
  url: 'https://example.com/',
  types: ['a.b'],
  status: 'enabled',
  sealed: '',
  holdsFrom: { '0': 10 },
  before: [{ version: 1, live: true, types: ['a.b'], holdsFrom: { '0': 5 } }],
  ...changes,
});

describe('a version that late learners may have missed', () => {
  it.each([
    ['the first one', record({ version: 1, before: [] })],
    ['one of which nothing is known before', record({})],
    ['one that takes events again', record({ before: [{ version: 1, live: false, types: ['a.b'], holdsFrom: {} }] })],
    ['one with a type more', record({ types: ['a.b', 'c.d'] })],
  ])('is %s', (name, version) => {
    const { before: _, ...alone } = version;
    expect(heldVersionOf(name.endsWith('before') ? alone : version).more).toBe(true);
  });

  it.each([
    ['one that changes something else', record({ url: 'https://example.org/' })],
    ['one with a type less', record({ types: [] })],
    ['one that is paused', record({ status: 'paused', before: [] })],
    ['one that is held back', record({ heldBack: true, before: [] })],
    ['one that is deleted', record({ status: 'deleted', before: [] })],
  ])('is not %s', (_, version) => {
    expect(heldVersionOf(version).more).toBe(false);
  });
});

describe('the version that holds at an offset', () => {
  const versions: HeldVersion[] = [
    { version: 1, live: true, more: true, types: ['a.*'], holdsFrom: { '0': 10, '1': 3 } },
    { version: 3, live: true, more: true, types: ['c.d'], holdsFrom: { '0': 20, '1': 3 } },
    { version: 2, live: false, more: false, types: ['a.*'], holdsFrom: { '0': 15, '1': 3 } },
  ];

  it('is the latest that holds there, in whatever order they are known', () => {
    const takes = (offset: number, type: string): boolean => takesAt({ version: 3, versions }, 0, offset, type);
    expect([9, 10, 14, 15, 19, 20].map((offset) => takes(offset, 'a.b'))).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([19, 20, 1_000].map((offset) => takes(offset, 'c.d'))).toEqual([false, true, true]);
    expect(takesAt({ version: 3, versions }, 1, 3, 'c.d')).toBe(true);
  });

  it('holds from the start of a partition that is newer than it', () => {
    expect(takesAt({ version: 3, versions }, 2, 0, 'c.d')).toBe(true);
  });

  it('is left to the slice of a later version where that has begun', () => {
    const takes = (offset: number, type: string): boolean => takesAt({ version: 1, versions }, 0, offset, type);
    expect([takes(14, 'a.b'), takes(15, 'a.b'), takes(20, 'c.d')]).toEqual([true, false, false]);
  });
});
