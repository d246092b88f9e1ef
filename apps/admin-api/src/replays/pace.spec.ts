import { describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import fc from 'fast-check';
import { RatePace, WindowPace } from './pace.js';

const never = new AbortController().signal;

/** Takes all that it may for so long, each event with as many deliveries as given; how many went. */
async function run(clock: TestClock, perSecond: number, seconds: number, width: number): Promise<number> {
  const end = clock.now() + seconds * 1_000;
  let sent = 0;
  let pace = new RatePace(clock, perSecond);
  while (clock.now() < end) {
    const asked = pace.room(never);
    let room: Awaited<typeof asked> | undefined;
    void asked.then((answer) => (room = answer));
    await clock.advanceAsync(0);
    while (room === undefined && clock.now() < end) await clock.advanceAsync(10);
    if (room === undefined) break;
    if ('waitMs' in room) {
      // It lets others have its place, and begins anew.
      await clock.advanceAsync(room.waitMs);
      pace = new RatePace(clock, perSecond);
      continue;
    }
    let taken = 0;
    while (taken < room.deliveries) taken += width;
    pace.took(taken);
    sent += taken;
  }
  return sent;
}

describe('a rate', () => {
  it('is never exceeded, and nearly reached, whatever it is and however wide the events are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        async (rate, width) => {
          const sent = await run(new TestClock(), rate, 60, width);
          // One burst, and one event that is wider than what was left.
          expect(sent).toBeLessThanOrEqual(rate * 60 + Math.max(1, rate * 0.25) + width);
          expect(sent).toBeGreaterThanOrEqual(rate * 60 * 0.9 - width);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('gives up a wait when the replay is stopped', async () => {
    const clock = new TestClock();
    const stop = new AbortController();
    const pace = new RatePace(clock, 1);
    pace.took(1);
    const waiting = pace.room(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});

describe('a window', () => {
  it('lets no more be under way than it has room for, and does not look for each single one', async () => {
    let underWay = 0;
    let looks = 0;
    const pace = new WindowPace(async () => {
      looks += 1;
      return underWay;
    }, 100);
    for (let round = 0; round < 50; round += 1) {
      const room = await pace.room();
      if ('waitMs' in room) {
        expect(underWay).toBeGreaterThan(75);
        underWay -= 30;
        continue;
      }
      expect(room.deliveries + underWay).toBeLessThanOrEqual(100);
      pace.took(10);
      underWay += 10;
    }
    expect(looks).toBeLessThan(30);
  });

  it('of one lets one go at a time', async () => {
    let underWay = 0;
    const pace = new WindowPace(async () => underWay, 1);
    expect(await pace.room()).toEqual({ deliveries: 1 });
    pace.took(1);
    underWay = 1;
    expect(await pace.room()).toEqual({ waitMs: 1_000 });
    underWay = 0;
    expect(await pace.room()).toEqual({ deliveries: 1 });
  });
});
