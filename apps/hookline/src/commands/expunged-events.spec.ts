import { describe, expect, it } from '@jest/globals';
import { isAmong } from './expunged-events.js';

describe('what reconcile knows of expunged events', () => {
  it('is no word on what came to their offsets when hookline.events was made anew', () => {
    const isExpunged = isAmong([{ v: 1, partition: 2, offset: 41, at: 1_000, expungedAt: 5_000 }]);
    expect(isExpunged({ partition: 2, offset: 41, at: 1_000 })).toBe(true);
    expect(isExpunged({ partition: 2, offset: 41, at: 9_000 })).toBe(false);
    expect(isExpunged({ partition: 1, offset: 41, at: 1_000 })).toBe(false);
  });
});
