import { describe, expect, it } from '@jest/globals';
import type { RateLimit } from '@hookline/contracts';
import fc from 'fast-check';
import { RateLimiter } from './rate-limiter.js';

const START = 1_700_000_000_000;
const limits = fc.record({ perSecond: fc.integer({ min: 1, max: 2_000 }), burst: fc.integer({ min: 1, max: 50 }) });
/** Steps of time between the times at which one is asked for, ms; many at once, some far apart. */
const steps = fc.array(fc.oneof(fc.constant(0), fc.nat(3), fc.nat(300), fc.nat(20_000)), { maxLength: 200 });

/** Whether one more at `now` leaves every interval that ends there within burst + t * perSecond, by whole numbers. */
function fits(taken: readonly number[], now: number, { perSecond, burst }: RateLimit): boolean {
  return taken.every((from, i) => (taken.length - i + 1) * 1_000 <= burst * 1_000 + (now - from) * perSecond);
}

/** As if the owner before had spent the whole burst at that time. */
function spent(limit: RateLimit, now: number): number[] {
  return Array.from({ length: limit.burst }, () => now);
}

describe('RateLimiter', () => {
  it('lets through exactly what every interval allows: never more, and never idle when one could go', () => {
    fc.assert(
      fc.property(limits, steps, (limit, waits) => {
        const limiter = new RateLimiter(limit, START);
        const taken = spent(limit, START);
        let now = START;
        for (const wait of waits) {
          now += wait;
          const fit = fits(taken, now, limit);
          expect(limiter.waitMs(now) === 0).toBe(fit);
          expect(limiter.take(now)).toBe(fit);
          if (fit) taken.push(now);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says to the millisecond when the next one could go, with others ahead', () => {
    fc.assert(
      fc.property(limits, steps, fc.nat(20), (limit, waits, ahead) => {
        const limiter = new RateLimiter(limit, START);
        let now = START;
        for (const wait of waits) {
          now += wait;
          limiter.take(now);
        }
        const earliest = now + limiter.waitMs(now, ahead);
        expect(Number.isInteger(earliest)).toBe(true);
        for (let i = 0; i < ahead; i++) {
          now += limiter.waitMs(now);
          expect(limiter.take(now)).toBe(true);
        }
        const last = now + limiter.waitMs(now);
        if (last > now) expect(limiter.take(last - 1)).toBe(false);
        expect(limiter.take(last)).toBe(true);
        expect(last).toBeGreaterThanOrEqual(earliest);
        // Each of those ahead may have gone a part of a millisecond late.
        expect(last).toBeLessThanOrEqual(earliest + ahead);
      }),
    );
  });

  it('starts empty, so that two owners one after the other never exceed it together', () => {
    const limit = { perSecond: 50, burst: 20 };
    const limiter = new RateLimiter(limit, START);
    expect(limiter.take(START)).toBe(false);
    expect(limiter.waitMs(START)).toBe(20);
    expect(limiter.take(START + 19)).toBe(false);
    expect(limiter.take(START + 20)).toBe(true);
    expect(limiter.take(START + 20)).toBe(false);
  });

  it('lets 50 a second through for a minute, and the burst after a pause', () => {
    const limiter = new RateLimiter({ perSecond: 50, burst: 20 }, START);
    const takeAll = (now: number): number => {
      let count = 0;
      while (limiter.take(now)) count++;
      return count;
    };
    let count = 0;
    for (let ms = 0; ms <= 60_000; ms++) count += takeAll(START + ms);
    expect(count).toBe(3_000);
    expect(takeAll(START + 120_000)).toBe(20);
  });

  it('takes rates below one a second', () => {
    const limiter = new RateLimiter({ perSecond: 0.1, burst: 1 }, START);
    expect(limiter.waitMs(START)).toBe(10_000);
    expect(limiter.take(START + 9_999)).toBe(false);
    expect(limiter.take(START + 10_000)).toBe(true);
    expect(limiter.waitMs(START + 10_000, 2)).toBe(30_000);
  });

  it('allows no more and blocks no longer than a burst takes, when the clock steps back', () => {
    fc.assert(
      fc.property(limits, fc.array(fc.integer({ min: -5_000_000, max: 2_000 }), { maxLength: 100 }), (limit, jumps) => {
        const limiter = new RateLimiter(limit, START);
        let now = START;
        let elapsedMs = 0;
        let count = 0;
        for (const jump of jumps) {
          now += jump;
          elapsedMs += Math.max(0, jump);
          expect(limiter.waitMs(now)).toBeLessThanOrEqual(Math.ceil((limit.burst * 1_000) / limit.perSecond));
          while (limiter.take(now)) count++;
          const waitMs = limiter.waitMs(now);
          now += waitMs;
          elapsedMs += waitMs;
          expect(limiter.take(now)).toBe(true);
          count++;
          expect(count * 1_000).toBeLessThanOrEqual(elapsedMs * limit.perSecond);
        }
      }),
    );
  });

  it('gives nothing away by a change: a larger burst has to be saved up, a smaller one holds at once', () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 2 }, START);
    limiter.change({ perSecond: 10, burst: 100 }, START);
    expect(limiter.waitMs(START)).toBe(100);
    const rested = START + 3_600_000;
    expect(limiter.waitMs(rested, 99)).toBe(0);
    limiter.change({ perSecond: 1, burst: 3 }, rested);
    expect([1, 2, 3, 4].map(() => limiter.take(rested))).toEqual([true, true, true, false]);
    expect(limiter.waitMs(rested)).toBe(1_000);
  });
});
