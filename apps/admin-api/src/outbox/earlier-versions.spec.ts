import { describe, expect, it } from '@jest/globals';
import { EARLIER_VERSIONS, type EarlierVersion, type SubscriptionRecord } from '@hookline/contracts';
import { isLive } from '@hookline/domain';
import fc from 'fast-check';
import { earlierVersions, stampedVersion } from './earlier-versions.js';

const PARTITIONS = [0, 1];

interface Change {
  status: SubscriptionRecord['status'];
  heldBack: boolean;
  types: string[];
  /** How far the partitions' ends, and their beginnings, go on before it. */
  grows: [number, number];
  drops: [number, number];
}

const change: fc.Arbitrary<Change> = fc.record({
  status: fc.constantFrom('enabled', 'enabled', 'paused', 'disabled'),
  heldBack: fc.boolean(),
  types: fc.constantFrom(['a'], ['b'], ['a', 'b'], ['b', 'a']),
  grows: fc.tuple(fc.nat(4), fc.nat(4)),
  drops: fc.tuple(fc.nat(2), fc.nat(2)),
});

interface Story {
  records: SubscriptionRecord[];
  lows: Map<number, number>;
  ends: Map<number, number>;
}

/** What the publisher writes of these changes, one after the other. */
function tell(changes: readonly Change[]): Story {
  const story: Story = { records: [], lows: new Map(), ends: new Map() };
  for (const { status, heldBack, types, grows, drops } of changes) {
    for (const p of PARTITIONS) {
      const end = (story.ends.get(p) ?? 0) + (grows[p] as number);
      story.ends.set(p, end);
      story.lows.set(p, Math.min((story.lows.get(p) ?? 0) + (drops[p] as number), end));
    }
    const last = story.records.at(-1);
    const before = last && earlierVersions(stampedVersion(last), story.lows);
    story.records.push({
      v: 1,
      version: story.records.length + 1,
      id: 'sub_a',
      tenant: 'ten_a',
      url: 'https://example.com/',
      types,
      status,
      sealed: '',
      ...(heldBack ? { heldBack } : {}),
      holdsFrom: Object.fromEntries(story.ends),
      ...(before === undefined || before.length === 0 ? {} : { before }),
    });
  }
  return story;
}

const taken = ({ live, types }: Pick<EarlierVersion, 'live' | 'types'>): string =>
  live ? types.toSorted().join() : '';

/** What the version takes that held there, by all records; of several that hold from one offset the last counts. */
function truth({ records }: Story, partition: number, offset: number): string | undefined {
  const held = records.findLast(({ holdsFrom }) => (holdsFrom[String(partition)] ?? 0) <= offset);
  return held && taken({ live: isLive(held), types: held.types });
}

/** The same by the last record alone. */
function read({ records }: Story, partition: number, offset: number): string | undefined {
  const last = stampedVersion(records.at(-1) as SubscriptionRecord);
  const held = [last, ...last.before].find(({ holdsFrom }) => (holdsFrom[String(partition)] ?? 0) <= offset);
  return held && taken(held);
}

describe('earlier versions', () => {
  it('say with the last one what was taken at every offset that the log still has', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const story = tell(changes);
        for (const p of PARTITIONS)
          for (let offset = story.lows.get(p) ?? 0; offset <= (story.ends.get(p) ?? 0); offset += 1)
            expect(read(story, p, offset)).toBe(truth(story, p, offset));
      }),
      { numRuns: 500 },
    );
  });

  it('are the latest, at most so many, however often a subscription is changed', () => {
    const still: Change = { status: 'enabled', heldBack: false, types: ['a'], grows: [3, 3], drops: [0, 0] };
    const changes = Array.from({ length: 40 }, (_, i): Change => ({ ...still, status: i % 2 ? 'paused' : 'enabled' }));
    const { records } = tell(changes);
    // The last one stands for what is forgotten, so it is one that takes events: rather too many than none.
    expect(records.at(-1)?.before?.map(({ version }) => version)).toEqual(
      Array.from({ length: EARLIER_VERSIONS - 1 }, (_, i) => 39 - i),
    );
    expect(records.at(-1)?.before?.at(-1)?.live).toBe(true);
  });

  it('are one where a subscription was changed often, and took the same all the time', () => {
    const still: Change = { status: 'enabled', heldBack: false, types: ['a'], grows: [3, 3], drops: [0, 0] };
    const { records } = tell(Array.from({ length: 40 }, () => still));
    const first = records[0] as SubscriptionRecord;
    expect(records.at(-1)?.before).toEqual([{ version: 1, live: true, types: ['a'], holdsFrom: first.holdsFrom }]);
  });
});
