import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planPartitions, type Holder } from './partition-plan.js';

const memberIds = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 9 });
/** How many partitions each topic of the group has. */
const topics = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 5 });

function weightsOf(counts: readonly number[]): Map<number, number> {
  const weights = new Map<number, number>();
  for (const count of counts) for (let n = 0; n < count; n++) weights.set(n, (weights.get(n) ?? 0) + 1);
  return weights;
}

const fresh = (ids: readonly string[]): Holder[] => ids.map((memberId) => ({ memberId, held: [], generation: 0 }));

function heldBy(plan: ReadonlyMap<number, string>, memberId: string): number[] {
  return [...plan].filter(([, holder]) => holder === memberId).map(([number]) => number);
}

const holding = (ids: readonly string[], plan: ReadonlyMap<number, string>, generation = 1): Holder[] =>
  ids.map((memberId) => ({ memberId, held: heldBy(plan, memberId), generation }));

const arbitraryHolders = memberIds.chain((ids) =>
  fc.tuple(
    ...ids.map((memberId) =>
      fc.record({
        memberId: fc.constant(memberId),
        held: fc.uniqueArray(fc.nat(30), { maxLength: 20 }),
        generation: fc.nat(3),
      }),
    ),
  ),
);

function moved(before: ReadonlyMap<number, string>, after: ReadonlyMap<number, string>): number[] {
  return [...before.keys()].filter((number) => before.get(number) !== after.get(number));
}

describe('planPartitions', () => {
  it('gives every partition to a member of the group, in even shares of each weight', () => {
    fc.assert(
      fc.property(arbitraryHolders, topics, (holders, counts) => {
        const weights = weightsOf(counts);
        const plan = planPartitions(holders, weights);
        expect([...plan.keys()].sort()).toEqual([...weights.keys()].sort());
        for (const weight of new Set(weights.values())) {
          const shares = holders.map(
            ({ memberId }) => heldBy(plan, memberId).filter((number) => weights.get(number) === weight).length,
          );
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('moves nothing when nobody came or went, in whatever order the members stand', () => {
    fc.assert(
      fc.property(memberIds, topics, (ids, counts) => {
        const weights = weightsOf(counts);
        const plan = planPartitions(fresh(ids), weights);
        expect(planPartitions(holding([...ids].reverse(), plan), weights)).toEqual(plan);
      }),
    );
  });

  it('moves only what the new member gets', () => {
    fc.assert(
      fc.property(memberIds, topics, fc.stringMatching(/^[A-Z]{1,6}$/), (ids, counts, newcomer) => {
        const weights = weightsOf(counts);
        const before = planPartitions(fresh(ids), weights);
        const after = planPartitions([...holding(ids, before), ...fresh([newcomer])], weights);
        for (const number of moved(before, after)) expect(after.get(number)).toBe(newcomer);
      }),
    );
  });

  it('moves only what the member had that left', () => {
    fc.assert(
      fc.property(
        memberIds.filter((ids) => ids.length > 1),
        topics,
        (ids, counts) => {
          const weights = weightsOf(counts);
          const before = planPartitions(fresh(ids), weights);
          const [gone, ...stay] = ids;
          const after = planPartitions(holding(stay, before), weights);
          for (const number of moved(before, after)) expect(before.get(number)).toBe(gone);
        },
      ),
    );
  });

  it('believes the later generation where two members claim the same', () => {
    const weights = weightsOf([2]);
    const claims = (generation: number) => ({ held: [0, 1], generation });
    const plan = planPartitions(
      [
        { memberId: 'frozen', ...claims(3) },
        { memberId: 'owner', held: [0], generation: 5 },
      ],
      weights,
    );
    expect(plan.get(0)).toBe('owner');
    expect(plan.get(1)).toBe('frozen');
  });

  it('leaves members without work where there are more than partitions', () => {
    const plan = planPartitions(fresh(['a', 'b', 'c', 'd']), weightsOf([2, 2, 2]));
    expect(new Set(plan.values()).size).toBe(2);
  });
});
