import { describe, expect, it, jest } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import { roomsWith, subscriberOf, TestGuest } from '../testing/guests.js';
import type { Origin } from './guest.js';
import { Queues } from './queues.js';

const WEIGHTS = { liveWeight: 16, retryWeight: 4, replayWeight: 1 };

const guestOf = (from: Origin, patienceMs: number): TestGuest =>
  new TestGuest(roomsWith({}, new TestClock()), subscriberOf(), { from, patienceMs });

describe('Queues', () => {
  it('find who has waited for too long, whatever the origin, and events that are not taken any more', () => {
    const queues = new Queues(WEIGHTS, 0);
    for (const from of ['event', 'lane', 'retry', 'replay', 'backfill'] as const) queues.push(guestOf(from, 1_000), 0);
    expect(queues.shiftLate(999, true)).toBeUndefined();
    const event = queues.shiftLate(999, false);
    const late = [1, 2, 3, 4].map(() => queues.shiftLate(1_000, false));
    expect([event, ...late].map((one) => one?.from).toSorted()).toEqual([
      'backfill',
      'event',
      'lane',
      'replay',
      'retry',
    ]);
    expect([queues.shiftLate(1_000, false), queues.size]).toEqual([undefined, 0]);
  });

  it('make no list of themselves for each look: a sweep looks at every door twenty times a second', () => {
    const queues = new Queues(WEIGHTS, 0);
    queues.push(guestOf('lane', 1_000), 0);
    const values = jest.spyOn(Object, 'values');
    queues.shiftLate(999, true);
    const { calls } = values.mock;
    values.mockRestore();
    expect(calls).toEqual([]);
  });
});
