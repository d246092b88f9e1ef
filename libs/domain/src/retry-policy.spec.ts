import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSuccess } from './outcome.js';
import { RetryPolicy } from './retry-policy.js';

const rules = { retryDelaysMs: [5_000, 30_000, 120_000], retryJitterPercent: 0, windowMs: 600_000 };
const policy = new RetryPolicy(rules);
const START = 1_000_000;
const progress = { deliveryId: 'msg_a', attempts: 1, windowStart: START };

describe('RetryPolicy', () => {
  it.each([
    [1, 5_000],
    [2, 30_000],
    [3, 120_000],
    [9, 120_000],
  ])('after attempt %d waits %d ms, and repeats the last delay', (attempts, delayMs) => {
    expect(policy.afterFailure(progress, attempts, START)).toMatchObject({ kind: 'retry', delayMs });
  });

  it('takes the longest tier that is due inside the window', () => {
    const late = START + rules.windowMs - 30_000;
    expect(policy.afterFailure(progress, 3, late)).toMatchObject({ kind: 'retry', delayMs: 30_000 });
    expect(policy.afterFailure(progress, 3, late + 1)).toMatchObject({ kind: 'retry', delayMs: 5_000 });
  });

  it('ends where no tier is due inside the window', () => {
    const end = START + rules.windowMs;
    expect(policy.afterFailure(progress, 3, end - 4_999)).toEqual({ kind: 'dead-letter', reason: 'expired' });
    expect(policy.isExpired(START, end)).toBe(false);
    expect(policy.isExpired(START, end + 1)).toBe(true);
  });

  it.each([
    [0, 5_000],
    [29_999, 5_000],
    [30_000, 30_000],
    [9_999_999, 120_000],
  ])('defers what would wait %d ms by %d ms', (waitMs, delayMs) => {
    expect(policy.afterDeferral(progress, waitMs, START)).toMatchObject({ kind: 'defer', delayMs });
  });

  it('defers to no time past the window', () => {
    const end = START + rules.windowMs;
    expect(policy.afterDeferral(progress, 120_000, end - 60_000)).toMatchObject({ kind: 'defer', delayMs: 30_000 });
    expect(policy.afterDeferral(progress, 0, end)).toMatchObject({ reason: 'expired' });
  });

  it('is late by a few per cent, the same whoever asks, and never beyond the window', () => {
    const jittery = new RetryPolicy({ ...rules, retryJitterPercent: 10 });
    fc.assert(
      fc.property(fc.string(), fc.nat(40), fc.nat(rules.windowMs), (id, attempts, since) => {
        const at = { deliveryId: id, attempts, windowStart: START };
        const outcome = jittery.afterFailure(at, attempts + 1, START + since);
        if (outcome.kind !== 'retry') return;
        expect(outcome.jitterMs).toBe(jittery.jitterMs(at, outcome.delayMs));
        expect(outcome.jitterMs).toBeLessThanOrEqual(outcome.delayMs / 10);
        expect(since + outcome.delayMs + outcome.jitterMs).toBeLessThanOrEqual(rules.windowMs);
      }),
    );
    const jitters = new Set(
      Array.from({ length: 100 }, (_, n) => jittery.jitterMs({ ...progress, deliveryId: `msg_${n}` }, 120_000)),
    );
    expect(jitters.size).toBeGreaterThan(50);
  });
});

describe('isSuccess', () => {
  it('is any 2xx and nothing else', () => {
    expect([200, 202, 204, 299].every(isSuccess)).toBe(true);
    expect([undefined, 100, 301, 304, 404, 410, 500].some(isSuccess)).toBe(false);
  });
});
