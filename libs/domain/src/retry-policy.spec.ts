import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
    ['is 0', 1, 0, 5_000],
    ['is shorter than the delay that is planned', 2, 29_999, 30_000],
    ['is as long as a delay', 1, 30_000, 30_000],
    ['is between two', 1, 30_001, 120_000],
    ['is longer than all', 1, 3_600_000, 120_000],
    ['comes where the longest is planned', 3, 1, 120_000],
  ])('Retry-After rounds up to a tier: where it %s', (_, attempts, atLeastMs, delayMs) => {
    expect(policy.afterFailure(progress, attempts, START, atLeastMs)).toMatchObject({ kind: 'retry', delayMs });
  });

  it('leads no Retry-After past the window', () => {
    const late = START + rules.windowMs - 30_000;
    expect(policy.afterFailure(progress, 1, late, 100_000)).toMatchObject({ kind: 'retry', delayMs: 30_000 });
    expect(policy.afterFailure(progress, 1, late + 25_001, 100_000)).toMatchObject({ reason: 'expired' });
  });

  it('retries no earlier for a Retry-After, by no more than the next tier later, and only inside the window', () => {
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(rules.windowMs),
        (atLeastMs, attempts, since) => {
          const asked = policy.afterFailure(progress, attempts, START + since, atLeastMs);
          const planned = rules.retryDelaysMs[Math.min(attempts, 3) - 1] as number;
          const allowed = rules.retryDelaysMs.filter((delayMs) => since + delayMs <= rules.windowMs);
          const tier = rules.retryDelaysMs.find((delayMs) => delayMs >= Math.max(planned, atLeastMs)) ?? 120_000;
          expect(asked).toEqual(
            allowed.length === 0
              ? { kind: 'dead-letter', reason: 'expired' }
              : { kind: 'retry', delayMs: Math.min(tier, Math.max(...allowed)), jitterMs: 0 },
          );
        },
      ),
    );
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

  it.each([
    [0, 0, 5_000],
    [4_999, 0, 5_000],
    [5_000, 0, 30_000],
    [35_000, 0, 120_000],
    [300_000, 0, 120_000],
    // No use in coming back before the endpoint is tried again.
    [0, 6_000, 30_000],
    [0, 3_600_000, 120_000],
    // Inside the window all the same.
    [rules.windowMs - 60_000, 60_000, 30_000],
    [rules.windowMs - 30_000, 30_000, 30_000],
  ])('at a broken endpoint, after %d ms, with %d ms until it is tried, waits %d ms', (waitedMs, closedMs, delayMs) => {
    expect(policy.whileBroken(progress, closedMs, START + waitedMs)).toMatchObject({ kind: 'defer', delayMs });
  });

  it('at a broken endpoint ends a minute before its time, or later, where it is not tried again until then', () => {
    const late = START + rules.windowMs - 59_999;
    expect(policy.whileBroken(progress, 60_000, late - 1)).toMatchObject({ kind: 'defer', delayMs: 30_000 });
    expect(policy.whileBroken(progress, 60_000, late)).toMatchObject({ reason: 'expired' });
    expect(policy.whileBroken(progress, 59_999, late)).toMatchObject({ kind: 'defer', delayMs: 30_000 });
  });

  it('at a broken endpoint defers as if each attempt had failed at once', () => {
    for (let now = START, n = 1; now < START + rules.windowMs; n++) {
      const failed = policy.afterFailure(progress, n, now);
      const left = policy.whileBroken(progress, 0, now);
      if (failed.kind !== 'retry') return expect(left).toEqual(failed);
      expect(left).toEqual({ ...failed, kind: 'defer' });
      now += failed.delayMs;
    }
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
