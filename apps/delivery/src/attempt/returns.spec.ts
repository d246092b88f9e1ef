import { describe, expect, it } from '@jest/globals';
import { RetryPolicy } from '@hookline/domain';
import { Returns } from './returns.js';

const DELAYS_MS = [5_000, 30_000, 120_000, 600_000];

describe('Returns', () => {
  it('are before whoever comes when their delay is over, until they are back', () => {
    const returns = new Returns();
    for (const jitterMs of [0, 1_000, 4_000]) returns.add(160_000, jitterMs, 0);
    // Spread evenly over the 4 s in which they come back.
    const left = [0, 160_000, 162_000, 164_000].map((now) => returns.until(170_000, now));
    expect([returns.until(159_999, 0), ...left]).toEqual([0, 3, 3, 1.5, 0]);
  });

  it('are forgotten when they are back, whichever delay they had', () => {
    const returns = new Returns();
    returns.add(160_000, 4_800, 0);
    returns.add(30_000, 0, 131_000);
    expect([returns.until(170_000, 161_500), returns.until(170_000, 164_799), returns.isEmpty(164_799)]).toEqual([
      1,
      1,
      false,
    ]);
    expect([returns.isEmpty(164_800), returns.size]).toEqual([true, 0]);
  });

  it('are few, whatever the jitter makes of their delays', () => {
    const policy = new RetryPolicy({ retryDelaysMs: DELAYS_MS, retryJitterPercent: 3, windowMs: 86_400_000 });
    const returns = new Returns();
    const count = 20_000;
    let now = 1_000_000_000;
    let most = 0;
    for (let n = 0; n < count; n++) {
      const delayMs = DELAYS_MS[n % DELAYS_MS.length] as number;
      const jitterMs = policy.jitterMs(
        { deliveryId: `msg_${String(n * 7_919).padStart(32, '0')}`, attempts: 0 },
        delayMs,
      );
      returns.add(delayMs, jitterMs, now);
      if (n % 100 === 0) now += 1_000;
      returns.until(now, now);
      most = Math.max(most, returns.size);
    }
    // The delay's own, the one that has begun, and the one for the jitter.
    expect(most).toBeLessThanOrEqual(DELAYS_MS.length * 18);
  });
});
