import { describe, expect, it } from '@jest/globals';
import { limitFaults, withBurst, type AskedRateLimit } from './limit-rules.js';

const LIMITS = { maxRatePerSecond: 100, maxRateBurst: 50, maxSubscriptionInFlight: 10 };

describe('limitFaults', () => {
  it('finds nothing wrong with what is left out, taken away, or at the limits', () => {
    expect(limitFaults({}, LIMITS)).toEqual([]);
    expect(limitFaults({ rateLimit: null, maxInFlight: null }, LIMITS)).toEqual([]);
    expect(limitFaults({ rateLimit: { perSecond: 100, burst: 50 }, maxInFlight: 10 }, LIMITS)).toEqual([]);
  });

  it('names each field above its limit, and the limit', () => {
    expect(limitFaults({ rateLimit: { perSecond: 100.1, burst: 51 }, maxInFlight: 11 }, LIMITS)).toMatchObject([
      { field: 'rateLimit.perSecond', limit: 100 },
      { field: 'rateLimit.burst', limit: 50 },
      { field: 'maxInFlight', limit: 10 },
    ]);
  });
});

describe('withBurst', () => {
  it.each<[what: string, asked: AskedRateLimit, burst: number]>([
    ['what was asked for', { perSecond: 5, burst: 7 }, 7],
    ['what a second brings', { perSecond: 5 }, 5],
    ['rounded up', { perSecond: 2.1 }, 3],
    ['one, where a second brings less', { perSecond: 0.001 }, 1],
    ['its own limit, where a second brings more', { perSecond: 80 }, 50],
  ])('gives %s', (_what, asked, burst) => {
    expect(withBurst(asked, LIMITS.maxRateBurst)).toEqual({ perSecond: asked.perSecond, burst });
  });
});
