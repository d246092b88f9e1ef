import { describe, it } from '@jest/globals';
import type { Verdict } from '@hookline/domain';
import { TestClock } from '@hookline/testing';
import fc from 'fast-check';
import { roomsWith, subscriberOf, TestGuest } from '../testing/guests.js';
import type { Origin } from './guest.js';

const LIMITS = {
  workerConcurrency: 6,
  slowConcurrency: 3,
  endpointConcurrency: 4,
  startConcurrency: 2,
  endpointQueue: 3,
  slowAttemptMs: 2_000,
  breakerFailures: 3,
  breakerOpenMs: 1_000,
};
const RATE = { perSecond: 2, burst: 2 };

type Step =
  | { readonly do: 'enter'; readonly to: number; readonly from: Origin; readonly patienceMs: number }
  | { readonly do: 'leave'; readonly which: number; readonly verdict: Verdict | undefined }
  | { readonly do: 'wait'; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('enter' as const),
        to: fc.nat(2),
        from: fc.constantFrom<Origin[]>('event', 'lane', 'retry', 'replay'),
        patienceMs: fc.constantFrom(0, 500, 5_000),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('leave' as const),
        which: fc.nat(20),
        verdict: fc.constantFrom<(Verdict | undefined)[]>('delivered', 'delivered', 'failed', 'slow-down', undefined),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 300, 2_500) }) },
  ),
  { maxLength: 120, size: 'max' },
);

/** Cheaper than an expectation, of which there would be a hundred thousand. */
function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

describe('Rooms, whatever comes, leaves, fails and hangs', () => {
  it('are never above a limit, and nobody is lost or stays when there is room', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const clock = new TestClock();
        const rooms = roomsWith(LIMITS, clock);
        const subscribers = [0, 1, 2].map((n) =>
          subscriberOf({ id: `sub_${n}`, tenant: `ten_${n % 2}`, ...(n === 2 ? { rateLimit: RATE } : {}) }),
        );
        const inside: TestGuest[] = [];
        const limited: number[] = [];
        const taken: TestGuest[] = [];
        const ended = new Set<TestGuest>();
        const begin = (guest: TestGuest): void => {
          inside.push(guest);
          if (guest.subscriber === subscribers[2]) limited.push(clock.now());
          check();
        };
        const check = (): void => {
          hold(rooms.inFlight === inside.length, 'everyone inside has a room, and nobody else');
          hold(rooms.slowInFlight <= LIMITS.slowConcurrency, 'slow attempts');
          hold(rooms.inFlight - rooms.slowInFlight <= LIMITS.workerConcurrency, 'attempts in the worker');
          for (const { door } of subscribers) {
            if (door === undefined) continue;
            hold(door.inFlight <= LIMITS.endpointConcurrency, 'attempts at one door');
            for (const kind of ['live', 'retry', 'replay'] as const)
              hold(door.waitingOf(kind) <= LIMITS.endpointQueue, 'those who wait at one door');
          }
        };
        const leave = (guest: TestGuest, verdict: Verdict | undefined): void => {
          inside.splice(inside.indexOf(guest), 1);
          ended.add(guest);
          guest.leave(verdict, 700);
        };
        for (const step of all) {
          if (step.do === 'enter') {
            const to = subscribers[step.to];
            if (to === undefined || (step.to === 2 && step.from === 'event')) continue;
            const guest = new TestGuest(rooms, to, {
              ...step,
              onBegin: begin,
              onGiveUp: (late) => void ended.add(late),
            });
            if (guest.enter()) taken.push(guest);
          } else if (step.do === 'leave') {
            const guest = inside[step.which % Math.max(1, inside.length)];
            if (guest !== undefined) leave(guest, step.verdict);
          } else {
            clock.advance(step.ms);
          }
          check();
        }
        // Two at once, and then one each half second; the burst has to be saved up first.
        for (let n = RATE.burst; n < limited.length; n++)
          hold((limited[n] as number) - (limited[n - RATE.burst] as number) >= 500, 'the rate');
        // In the end everyone has been inside or has given up, and no room is left taken.
        for (let rounds = 0; rounds < 1_000 && ended.size < taken.length; rounds++) {
          for (const guest of [...inside]) leave(guest, 'delivered');
          clock.advance(100);
        }
        hold(ended.size === taken.length, 'nobody is left behind');
        hold(rooms.inFlight === 0 && rooms.slowInFlight === 0, 'all rooms are given back');
      }),
      { numRuns: 300 },
    );
  });
});
