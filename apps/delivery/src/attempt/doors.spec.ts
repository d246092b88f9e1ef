import { describe, expect, it } from '@jest/globals';
import { deliverySection, loadConfig } from '@hookline/config';
import { TestClock } from '@hookline/testing';
import { roomsWith, subscriberOf, TestGuest, unheard } from '../testing/guests.js';
import { Doors } from './doors.js';

const { delivery } = loadConfig({ delivery: deliverySection }, {});
const MINUTE_MS = 60_000;
const TUNE_MS = 1_000;

const doorsOf = (workers: number, isOwner: boolean): Doors =>
  new Doors({ ...delivery, startConcurrency: 1_000 }, { workers: () => workers, isOwner: () => isOwner }, unheard());

describe('Doors', () => {
  it('divide a cap over the fleet: others have equal parts, the owner the rest', () => {
    const caps = (workers: number, maxInFlight: number): number[] =>
      [true, false].map((isOwner) => doorsOf(workers, isOwner).of(subscriberOf({ maxInFlight }), 0).limit.current);
    expect([caps(1, 64), caps(3, 64), caps(4, 64), caps(3, 3)]).toEqual([
      [64, 64],
      [22, 21],
      [16, 16],
      [1, 1],
    ]);
  });

  it('let only the owner in where a cap is too small to be divided, or there is a rate limit', () => {
    const takesEvents = (isOwner: boolean, maxInFlight: number): boolean =>
      doorsOf(3, isOwner).of(subscriberOf({ maxInFlight }), 0).takesEvents;
    expect([takesEvents(true, 2), takesEvents(false, 2), takesEvents(false, 3)]).toEqual([true, false, true]);
    const limited = subscriberOf({ rateLimit: { perSecond: 1, burst: 1 } });
    expect(doorsOf(1, true).of(limited, 0).takesEvents).toBe(false);
  });

  it('follow the fleet and the subscription', () => {
    let workers = 1;
    const doors = new Doors(delivery, { workers: () => workers, isOwner: () => false }, unheard());
    const subscriber = subscriberOf({ maxInFlight: 4 });
    expect(doors.of(subscriber, 0).limit.current).toBe(4);
    workers = 2;
    expect(doors.of(subscriber, 999).limit.current).toBe(4);
    expect(doors.of(subscriber, 1_000).limit.current).toBe(2);
    subscriber.current = subscriberOf({ maxInFlight: 2 }).current;
    expect(doors.of(subscriber, 1_001).limit.current).toBe(1);
  });

  it('are given up when nobody has used them for a while and there is nothing to remember', () => {
    const doors = doorsOf(1, true);
    const subscribers = Array.from({ length: 1_000 }, (_, n) => subscriberOf({ id: `sub_${n}` }));
    for (const one of subscribers) doors.of(one, 0);
    const [broken, slowedDown] = subscribers;
    for (let n = 0; n < delivery.breakerFailures; n++) broken?.door?.breaker.failed(0);
    slowedDown?.door?.deferred('retry', 2 * MINUTE_MS, 0, 0);
    expect(doors.size).toBe(1_000);
    for (let n = 0; n < 700; n++) doors.of(subscriberOf({ id: `sub_later_${n}` }), MINUTE_MS);
    expect(doors.size).toBe(702);
    expect(subscribers.filter(({ door }) => door !== undefined)).toEqual([broken, slowedDown]);
  });

  it('are given up where a rate limit served an ownership that is over, not while it lasts', () => {
    const doors = doorsOf(3, true);
    const rateLimit = { perSecond: 1, burst: 1 };
    const [former, present] = [subscriberOf({ id: 'sub_f', rateLimit }), subscriberOf({ id: 'sub_p', rateLimit })];
    const ownership = new AbortController();
    doors.of(former, 0).rate.set(rateLimit, ownership.signal, 0);
    doors.of(present, 0).rate.set(rateLimit, new AbortController().signal, 0);
    ownership.abort();
    doors.of(subscriberOf({ id: 'sub_later' }), MINUTE_MS);
    expect([former.door, present.door?.subscriber, doors.size]).toEqual([undefined, present, 2]);
  });

  it('are given up where nobody has come to try a broken endpoint for as long again as it may be left alone', () => {
    const doors = doorsOf(3, false);
    const broken = subscriberOf({ id: 'sub_b' });
    for (let n = 0; n < delivery.breakerFailures; n++) doors.of(broken, 0).breaker.failed(0);
    const other = subscriberOf({ id: 'sub_o' });
    doors.of(other, 2 * delivery.breakerOpenMostMs - 1);
    expect(broken.door?.breaker.state).toBe('open');
    doors.of(other, 2 * delivery.breakerOpenMostMs + TUNE_MS);
    expect([broken.door, doors.size]).toEqual([undefined, 1]);
  });

  it('are given up for others that are in use, and one that is idle itself is made anew', () => {
    const doors = doorsOf(1, true);
    const [idle, used] = [subscriberOf({ id: 'sub_i' }), subscriberOf({ id: 'sub_u' })];
    doors.of(idle, 0);
    const before = doors.of(used, 0);
    const after = doors.of(used, MINUTE_MS);
    expect([idle.door, used.door === after, after === before, doors.size]).toEqual([undefined, true, false, 1]);
  });

  it.each(['deleted', 'forgotten'])(
    'let go at once of a subscription that is %s, and whatever is known of it',
    (how) => {
      const doors = doorsOf(1, true);
      const subscriber = subscriberOf({ rateLimit: { perSecond: 1, burst: 1 } });
      const door = doors.of(subscriber, 0);
      door.rate.set({ perSecond: 1, burst: 1 }, new AbortController().signal, 0);
      door.deferred('retry', 2 * MINUTE_MS, 0, 0);
      const guest = new TestGuest(roomsWith({}, new TestClock()), subscriber);
      door.entered(guest, 0);
      subscriber.current = how === 'deleted' ? subscriberOf({ status: 'deleted', version: 2 }).current : undefined;
      doors.of(subscriberOf({ id: 'sub_b' }), 1);
      expect(subscriber.door).toBe(door);
      door.left(guest, 'delivered', 0, true, 2);
      doors.of(subscriberOf({ id: 'sub_c' }), 2);
      expect([subscriber.door, doors.size]).toEqual([undefined, 2]);
    },
  );
});
