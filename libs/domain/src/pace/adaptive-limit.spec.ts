import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AdaptiveLimit } from './adaptive-limit.js';

const busy = Number.MAX_SAFE_INTEGER;

function succeed(limit: AdaptiveLimit, times: number, inFlight = busy): void {
  for (let i = 0; i < times; i++) limit.succeeded(inFlight);
}

describe('AdaptiveLimit', () => {
  it('begins with its start, and never above the cap or below one', () => {
    expect(new AdaptiveLimit({ start: 4, cap: 64 }).current).toBe(4);
    expect(new AdaptiveLimit({ start: 4, cap: 2 }).current).toBe(2);
    expect(new AdaptiveLimit({ start: 4, cap: 0.3 }).current).toBe(1);
  });

  it('grows by one for each success at first, and after the first decrease for as many as it is', () => {
    const limit = new AdaptiveLimit({ start: 4, cap: 64 });
    succeed(limit, 16);
    expect(limit.current).toBe(20);
    limit.failed(0);
    expect(limit.current).toBe(10);
    succeed(limit, 9);
    expect(limit.current).toBe(10);
    succeed(limit, 1);
    expect(limit.current).toBe(11);
    succeed(limit, 11);
    expect(limit.current).toBe(12);
  });

  it('grows only while it is used', () => {
    const limit = new AdaptiveLimit({ start: 8, cap: 64 });
    succeed(limit, 1_000, 3);
    expect(limit.current).toBe(8);
    succeed(limit, 1, 4);
    expect(limit.current).toBe(9);
  });

  it('leaves one again whether or not the attempt that ended is counted', () => {
    const limit = new AdaptiveLimit({ start: 1, cap: 64 });
    limit.succeeded(0);
    expect(limit.current).toBe(2);
  });

  it('takes a burst of 64 failures at once as one signal', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    for (let i = 0; i < 64; i++) limit.failed(i);
    expect(limit.current).toBe(32);
  });

  it('takes all attempts that are found slow after a freeze of the worker as one signal', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    for (let i = 0; i < 64; i++) limit.stalled(10_000);
    expect(limit.current).toBe(32);
  });

  it('falls to one within 600 ms of attempts that hang', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    for (let now = 0; now <= 600; now += 10) limit.stalled(now);
    expect(limit.current).toBe(1);
  });

  it('keeps to a cap that changes, and does not jump when it is lifted', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    limit.setCap(21);
    expect(limit.current).toBe(21);
    limit.setCap(64);
    expect(limit.current).toBe(21);
    succeed(limit, 1_000);
    expect(limit.current).toBe(64);
  });

  it('begins again with one, growing as at first', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    limit.failed(0);
    limit.restart();
    expect(limit.current).toBe(1);
    succeed(limit, 9);
    expect(limit.current).toBe(10);
  });

  it('is not deaf to failures after the clock has stepped back', () => {
    const limit = new AdaptiveLimit({ start: 64, cap: 64 });
    limit.failed(3_600_000);
    limit.failed(0);
    expect(limit.current).toBe(16);
  });

  it('stays an integer between one and the cap, grows by at most one, and at most halves', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('succeeded' as const), n: fc.nat(80) }),
      fc.record({ kind: fc.constantFrom('failed' as const, 'stalled' as const), n: fc.nat(250) }),
      fc.record({ kind: fc.constant('cap' as const), n: fc.integer({ min: 1, max: 64 }) }),
      fc.record({ kind: fc.constant('restart' as const), n: fc.constant(1) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.array(step, { maxLength: 300 }), (start, steps) => {
        let cap = 64;
        let now = 0;
        const limit = new AdaptiveLimit({ start, cap });
        let decreasedAt = Number.NEGATIVE_INFINITY;
        for (const { kind, n } of steps) {
          const before = limit.current;
          if (kind === 'succeeded') {
            limit.succeeded(n);
            expect([before, before + 1]).toContain(limit.current);
          } else if (kind === 'failed' || kind === 'stalled') {
            now += n;
            limit[kind](now);
            const isNewRound = now - decreasedAt >= 100;
            if (isNewRound) decreasedAt = now;
            expect(limit.current).toBe(isNewRound ? Math.max(1, Math.floor(before / 2)) : before);
          } else if (kind === 'cap') {
            limit.setCap((cap = n));
            expect(limit.current).toBe(Math.min(before, cap));
          } else {
            limit.restart();
            expect(limit.current).toBe(1);
          }
          expect(Number.isInteger(limit.current) && limit.current >= 1 && limit.current <= cap).toBe(true);
        }
      }),
    );
  });
});
