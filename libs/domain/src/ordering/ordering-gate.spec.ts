import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LANES, OrderedWorld } from './testing/ordered-world.js';

const KEYS = ['a', 'b', 'c'];
const RULES = { patienceMs: 12, outstandingMost: 1_000, rememberedMost: 1_000 };

type Step = (world: OrderedWorld) => void;

const small = fc.nat(4);
const steps = {
  publish: fc.constantFrom(...KEYS).map<Step>((key) => (world) => world.publish(key)),
  handOver: fc.integer({ min: 1, max: 4 }).map<Step>((count) => (world) => world.handOver(count)),
  read: fc.tuple(fc.constantFrom(...LANES), fc.integer({ min: 1, max: 4 })).map<Step>(
    ([lane, count]) =>
      (world) =>
        world.read(lane, count),
  ),
  pass: fc.integer({ min: 1, max: 30 }).map<Step>((ms) => (world) => world.pass(ms)),
  succeed: small.map<Step>((index) => (world) => world.succeed(index)),
  fail: fc.tuple(small, fc.nat(1)).map<Step>(
    ([index, tier]) =>
      (world) =>
        world.fail(index, tier),
  ),
  acknowledge: fc.tuple(small, fc.boolean()).map<Step>(
    ([index, isLost]) =>
      (world) =>
        world.acknowledge(index, isLost),
  ),
  writeMove: small.map<Step>((index) => (world) => world.writeMove(index)),
  acknowledgeMove: fc.tuple(small, fc.boolean()).map<Step>(
    ([index, isLost]) =>
      (world) =>
        world.acknowledgeMove(index, isLost),
  ),
  giveAgain: fc.constant<Step>((world) => world.giveAgain()),
  commit: fc.constant<Step>((world) => world.commit()),
};
const faults = {
  succeedInVain: small.map<Step>((index) => (world) => world.succeed(index, true)),
  handOverAgain: fc.integer({ min: 1, max: 4 }).map<Step>((back) => (world) => world.handOverAgain(back)),
  catchUp: fc.constant<Step>((world) => world.catchUp()),
  takeOver: fc.nat(2).map<Step>((late) => (world) => world.takeOver(late)),
};

const everything = [...Object.values(steps), ...Object.values(faults)];

/** @returns each world, after all succeeded in the end */
function worlds(rules: typeof RULES, which: readonly fc.Arbitrary<Step>[], check: (world: OrderedWorld) => void): void {
  const property = fc.property(fc.array(fc.oneof(...which), { maxLength: 200, size: 'max' }), (taken) => {
    const world = new OrderedWorld(rules);
    for (const each of taken) each(world);
    check(world);
  });
  fc.assert(property, { numRuns: 1_000 });
}

describe('Order through tiers', () => {
  it('is kept, and nothing is lost, whatever comes, fails, is copied, crashes and is taken over', () => {
    worlds(RULES, everything, (world) => {
      expect(world.settle(400)).toBe(true);
      expect(world.violations).toEqual([]);
    });
  });

  it('is kept where the gate holds few', () => {
    worlds({ ...RULES, outstandingMost: 3 }, everything, (world) => {
      expect(world.settle(400)).toBe(true);
      expect(world.violations).toEqual([]);
    });
  });

  it('loses nothing where the gate remembers nothing', () => {
    worlds({ ...RULES, rememberedMost: 0 }, everything, (world) => expect(world.settle(400)).toBe(true));
  });

  it('a copy is dropped: without a crash each event is sent once, and once more for each failure', () => {
    const told = small.map<Step>((index) => (world) => world.acknowledge(index, false));
    const moved = small.map<Step>((index) => (world) => world.acknowledgeMove(index, false));
    const certain = { ...steps, acknowledge: told, acknowledgeMove: moved };
    worlds(RULES, [...Object.values(certain), faults.handOverAgain], (world) => {
      expect(world.settle(400)).toBe(true);
      expect(world.sends.length).toBe(world.events.length + world.failures);
    });
  });
});
