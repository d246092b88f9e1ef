import { describe, expect, it } from '@jest/globals';
import { LONGEST_TIMER_MS } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import fc from 'fast-check';
import { DueQueue } from './due-queue.js';

const unexpected = (): never => {
  throw new Error('not expected');
};

describe('DueQueue', () => {
  it('lets each go when it is due, never before, the first due first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), (delays) => {
        const clock = new TestClock();
        const start = clock.now();
        const queue = new DueQueue(clock);
        const gone: { due: number; at: number }[] = [];
        for (const delay of delays)
          queue.add(start + delay, () => gone.push({ due: delay, at: clock.now() - start }), unexpected);
        for (let ms = 0; ms <= 1_000; ms += 50) clock.advance(50);
        expect(gone.map(({ due }) => due)).toEqual(delays.toSorted((a, b) => a - b));
        for (const { due, at } of gone) expect(at).toBeGreaterThanOrEqual(due);
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('has one timer, however many wait', () => {
    const clock = new TestClock();
    const queue = new DueQueue(clock);
    for (const delay of [500, 100, 900]) queue.add(clock.now() + delay, () => undefined, unexpected);
    expect(clock.pending).toBe(1);
    clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  it('waits longer than a timer can', () => {
    const clock = new TestClock();
    const queue = new DueQueue(clock);
    let gone = false;
    queue.add(clock.now() + LONGEST_TIMER_MS + 1_000, () => (gone = true), unexpected);
    clock.advance(LONGEST_TIMER_MS);
    expect(gone).toBe(false);
    clock.advance(1_000);
    expect(gone).toBe(true);
  });

  it('drops what waits when it is closed, and what comes later', () => {
    const clock = new TestClock();
    const queue = new DueQueue(clock);
    let dropped = 0;
    queue.add(clock.now() + 10, unexpected, () => dropped++);
    queue.close();
    queue.add(clock.now() + 10, unexpected, () => dropped++);
    clock.advance(100);
    expect(dropped).toBe(2);
  });
});
