import { describe, expect, it } from '@jest/globals';
import { PACED_FROM, RoundPace } from './round-pace.js';

describe('RoundPace', () => {
  it('never waits after a small round, also when a large one was before it', () => {
    const pace = new RoundPace(15);
    expect(pace.waitMs(1_000)).toBe(0);
    pace.began(1_000, PACED_FROM);
    pace.began(1_015, PACED_FROM - 1);
    expect(pace.waitMs(1_015)).toBe(0);
  });

  it('counts the interval from the beginning of a large round', () => {
    const pace = new RoundPace(15);
    pace.began(1_000, PACED_FROM);
    expect(pace.waitMs(1_000)).toBe(15);
    expect(pace.waitMs(1_014)).toBe(1);
    expect(pace.waitMs(1_015)).toBe(0);
    expect(pace.waitMs(9_000)).toBe(0);
  });

  it('does not wait after a round that was full', () => {
    const pace = new RoundPace(15);
    pace.began(1_000, 500, true);
    expect(pace.waitMs(1_000)).toBe(0);
  });

  it('never waits with an interval of 0', () => {
    const pace = new RoundPace(0);
    pace.began(1_000, 500);
    expect(pace.waitMs(1_000)).toBe(0);
  });

  it('does not wait for a clock that was set back', () => {
    const pace = new RoundPace(15);
    pace.began(3_600_000, 500);
    expect(pace.waitMs(1_000)).toBe(0);
  });
});
