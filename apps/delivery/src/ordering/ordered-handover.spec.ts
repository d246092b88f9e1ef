import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NotDurable, type Assignment } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { NotOwner, type Delivery } from '../delivery.js';
import { OrderedHandover } from './ordered-handover.js';

type Fate = 'durable' | 'refused at once' | 'refused later' | 'frozen' | 'thrown';

/** A lane that takes what it is given, in the order in which it is given, but for what it refuses. */
class Lane {
  readonly clock = new TestClock();
  readonly written: number[] = [];
  readonly revoked = new AbortController();
  owned = true;
  fates: Fate[] = [];
  private readonly assignment = { topic: 'events', partition: 0, signal: this.revoked.signal } as Assignment;
  private readonly handover = new OrderedHandover(
    {
      write: (delivery, mayLeave) => this.write(delivery.envelope.source.offset, mayLeave),
      tell: () => Promise.resolve(),
      owns: () => this.owned,
    },
    this.clock,
    silentLogger,
  );

  hand(offset: number): Promise<unknown> {
    const envelope = { source: { partition: 0, offset, at: 0 } };
    return this.handover.hand({ envelope, assignment: this.assignment } as Delivery);
  }

  private write(offset: number, mayLeave: () => boolean): Promise<unknown> {
    const fate = this.fates.shift() ?? 'durable';
    if (fate === 'thrown') throw new TypeError('by the test');
    if (fate === 'refused at once') return Promise.reject(new NotDurable('overloaded', 'by the test'));
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        if (fate === 'refused later') return reject(new NotDurable('refused', 'by the test'));
        if (fate === 'frozen' || !mayLeave()) return reject(new NotDurable('fenced', 'by the test'));
        this.written.push(offset);
        resolve(undefined);
      });
    });
  }
}

describe('a hand-over that is tried again', () => {
  it('does not overtake, whatever is refused, now or later: no event stands behind a later one for the first time', async () => {
    const fate = fc.constantFrom<Fate>('durable', 'durable', 'refused at once', 'refused later', 'frozen');
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), async (fates, count) => {
        const lane = new Lane();
        lane.fates = fates;
        const all = Promise.all(Array.from({ length: count }, (_, offset) => lane.hand(offset)));
        for (let n = 0; n < 90; n++) await lane.clock.advanceAsync(5_000);
        await all;
        expect([...new Set(lane.written)]).toEqual(Array.from({ length: count }, (_, offset) => offset));
      }),
      { numRuns: 30 },
    );
  });

  it.each<Fate>(['refused later', 'frozen'])(
    'goes again with all that came after it and had not left: %s',
    async (fate) => {
      const lane = new Lane();
      lane.fates = ['durable', fate, 'durable'];
      const all = [0, 1, 2].map((offset) => lane.hand(offset));
      await all[0];
      await lane.clock.advanceAsync(100);
      await Promise.all(all);
      expect(lane.written).toEqual([0, 1, 2]);
    },
  );

  it('goes again also where a write throws: the line stops for nobody', async () => {
    const lane = new Lane();
    lane.fates = ['durable', 'thrown'];
    const all = [1, 2, 3].map((offset) => lane.hand(offset));
    await lane.clock.advanceAsync(1_000);
    await Promise.all(all);
    expect(lane.written).toEqual([1, 2, 3]);
  });

  it('waits while the group has not been heard of, and dies with its assignment', async () => {
    const lane = new Lane();
    lane.owned = false;
    const [first, second] = [lane.hand(0), lane.hand(1)];
    await lane.clock.advanceAsync(500);
    expect(lane.written).toEqual([]);
    lane.owned = true;
    await lane.clock.advanceAsync(5_000);
    await Promise.all([first, second]);
    lane.owned = false;
    const third = lane.hand(2);
    lane.revoked.abort();
    const dead = expect(third).rejects.toThrow(NotOwner);
    await lane.clock.advanceAsync(5_000);
    await dead;
    expect(lane.written).toEqual([0, 1]);
  });
});
