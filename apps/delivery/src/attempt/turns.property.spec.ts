import { describe, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import fc from 'fast-check';
import { roomsWith, subscriberOf, TestGuest } from '../testing/guests.js';
import type { Origin } from './guest.js';

const worlds = fc.record({
  rooms: fc.integer({ min: 1, max: 12 }),
  cost: fc.integer({ min: 1_024, max: 5_000 }),
  quantum: fc.integer({ min: 1_024, max: 65_536 }),
  liveWeight: fc.integer({ min: 1, max: 20 }),
  retryWeight: fc.integer({ min: 1, max: 8 }),
  hasRetries: fc.boolean(),
  /** At which step each of the other tenants sends its one event. */
  others: fc.array(fc.nat(100), { minLength: 1, maxLength: 9 }),
});

describe('a turn, as docs/decisions/0018 states it', () => {
  it('is all that one waits for whose tenant sends little beside one that sends more than there is room for', () => {
    fc.assert(
      fc.property(
        worlds,
        ({ rooms: workerConcurrency, cost, quantum, liveWeight, retryWeight, hasRetries, others }) => {
          const limits = {
            workerConcurrency,
            endpointConcurrency: 100,
            tenantQuantumBytes: quantum,
            endpointQueue: 2_000,
          };
          const rooms = roomsWith({ ...limits, liveWeight, retryWeight }, new TestClock());
          const inside: TestGuest[] = [];
          const waiting = new Map<TestGuest, number>();
          let most = 0;
          const onBegin = (guest: TestGuest): void => {
            inside.push(guest);
            for (const [other, before] of waiting) if (other !== guest) waiting.set(other, before + 1);
            most = Math.max(most, waiting.get(guest) ?? 0);
            waiting.delete(guest);
          };
          const enter = (tenant: string, from: Origin): TestGuest => {
            const guest = new TestGuest(rooms, of(tenant), { from, patienceMs: 60_000, bytes: cost, onBegin });
            if (from === 'event' && tenant !== 'ten_wide') waiting.set(guest, 0);
            guest.enter();
            return guest;
          };
          const subscribers = new Map<string, ReturnType<typeof subscriberOf>>();
          const of = (tenant: string): ReturnType<typeof subscriberOf> => {
            const known = subscribers.get(tenant) ?? subscriberOf({ id: tenant.replace('ten', 'sub'), tenant });
            subscribers.set(tenant, known);
            return known;
          };
          for (let n = 0; n < 1_000; n++) {
            enter('ten_wide', 'event');
            if (hasRetries) enter('ten_wide', 'retry');
          }
          for (let step = 0; step <= 100; step++) {
            others.forEach((at, n) => at === step && enter(`ten_${n}`, 'event'));
            inside.shift()?.leave();
          }
          for (let left = 0; left < 1_500 && waiting.size > 0; left++) inside.shift()?.leave();
          const turnOfWide = Math.floor(quantum / cost) + 1;
          const weights = hasRetries ? (liveWeight + retryWeight) / liveWeight : 1;
          const bound = Math.ceil((turnOfWide + others.length) * weights);
          if (waiting.size > 0 || most > bound) throw new Error(`${most} went before one, and ${bound} may`);
        },
      ),
      { numRuns: 100 },
    );
  });
});
