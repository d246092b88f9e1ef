import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EARLIER_VERSIONS, type EarlierVersion, type SubscriptionRecord } from '@hookline/contracts';
import { subscriptionRecord, testSealer } from '../testing/guests.js';
import { Targets } from './targets.js';

const PARTITIONS = [0, 1, 2];
const TYPES = ['order.created', 'order.item.added', 'invoice.paid'];
const { sealed } = subscriptionRecord();

interface Change {
  status: SubscriptionRecord['status'];
  heldBack: boolean;
  types: string[];
  /** By how much the log has grown before it, by partition. */
  growth: number[];
}

const change: fc.Arbitrary<Change> = fc.record({
  status: fc.constantFrom('enabled', 'enabled', 'enabled', 'paused', 'disabled', 'deleted'),
  heldBack: fc.boolean(),
  types: fc.uniqueArray(fc.constantFrom('*', 'order.*', 'order.created', 'invoice.paid'), { minLength: 1 }),
  growth: fc.array(fc.nat(5), { minLength: PARTITIONS.length, maxLength: PARTITIONS.length }),
});

/** What the publisher writes, one record for each version. */
function recordsOf(changes: readonly Change[]): SubscriptionRecord[] {
  const ends = PARTITIONS.map(() => 0);
  const earlier: EarlierVersion[] = [];
  return changes.map(({ status, heldBack, types, growth }, index) => {
    const holdsFrom: Record<string, number> = {};
    for (const partition of PARTITIONS)
      holdsFrom[partition] = ends[partition] = (ends[partition] ?? 0) + (growth[partition] ?? 0);
    const version = index + 1;
    const record = subscriptionRecord({
      version,
      status,
      types,
      holdsFrom,
      before: earlier.slice(0, EARLIER_VERSIONS),
      sealed,
    });
    if (heldBack) record.heldBack = true;
    earlier.unshift({ version, live: status === 'enabled' && !heldBack, types, holdsFrom });
    return record;
  });
}

/** What the log says: the latest version that began at or before the place, and whether it takes that. */
function takes(records: readonly SubscriptionRecord[], type: string, partition: number, offset: number): boolean {
  const version = records.findLast(({ holdsFrom }) => (holdsFrom[partition] ?? 0) <= offset);
  if (version === undefined || version.status !== 'enabled' || version.heldBack === true) return false;
  return version.types.some(
    (pattern) => pattern === '*' || pattern === type || (pattern === 'order.*' && type.startsWith('order.')),
  );
}

describe('What a subscription takes', () => {
  it('is a function of the log: every worker decides alike, whenever it learns of which version', () => {
    const heard = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: EARLIER_VERSIONS + 1 }), heard, (changes, hears) => {
        const records = recordsOf(changes);
        const last = records.at(-1) as SubscriptionRecord;
        const workers = [
          new Targets(testSealer),
          new Targets(testSealer),
          new Targets(testSealer),
          new Targets(testSealer),
        ];
        const [all, some, only, seen] = workers as [Targets, Targets, Targets, Targets];
        records.forEach((record, index) => {
          all.apply(record.id, record);
          if (record === last || hears[index] === true) some.apply(record.id, record);
          // It has seen them all, and the records say nothing of each other.
          const { before: _, ...alone } = record;
          seen.apply(record.id, alone);
        });
        only.apply(last.id, last);
        for (const type of TYPES)
          for (const partition of PARTITIONS)
            for (let offset = 0; offset <= (last.holdsFrom[partition] ?? 0) + 1; offset++) {
              const expected = takes(records, type, partition, offset) ? [last.version] : [];
              for (const worker of workers) {
                const matched = worker.match(last.tenant, type, partition, offset);
                expect(matched.map(({ version }) => version)).toEqual(expected);
              }
            }
      }),
      { numRuns: 300 },
    );
  });
});
