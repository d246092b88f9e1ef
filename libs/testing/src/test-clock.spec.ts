import { describe, expect, it } from '@jest/globals';
import { TestClock } from './test-clock.js';

describe('TestClock', () => {
  it('calls back in order, also what was asked for on the way', () => {
    const clock = new TestClock(0);
    const calls: [string, number][] = [];
    clock.after(20, () => calls.push(['second', clock.now()]));
    clock.after(10, () => {
      calls.push(['first', clock.now()]);
      clock.after(5, () => calls.push(['between', clock.now()]));
    });
    clock.after(15, () => calls.push(['cancelled', clock.now()]))();
    clock.advance(19);
    expect(calls).toEqual([
      ['first', 10],
      ['between', 15],
    ]);
    clock.advance(1);
    expect(calls.at(-1)).toEqual(['second', 20]);
    expect(clock.pending).toBe(0);
  });
});
