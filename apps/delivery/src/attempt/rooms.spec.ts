import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { TestClock } from '@hookline/testing';
import type { Subscriber } from '../subscriptions/subscriber.js';
import { roomsWith, subscriberOf, TestGuest } from '../testing/guests.js';
import type { Origin } from './guest.js';
import type { Rooms } from './rooms.js';

let clock: TestClock;
let begun: string[];
let givenUp: string[];

beforeEach(() => {
  clock = new TestClock();
  begun = [];
  givenUp = [];
});

const guest = (rooms: Rooms, to: Subscriber, name: string, from: Origin = 'event', patienceMs = 5_000): TestGuest =>
  new TestGuest(rooms, to, {
    from,
    patienceMs,
    onBegin: () => begun.push(name),
    onGiveUp: () => givenUp.push(name),
  });

/** Lets so many in that stay. */
function fill(rooms: Rooms, to: Subscriber, count: number, from: Origin = 'lane'): TestGuest[] {
  const guests = Array.from({ length: count }, () => new TestGuest(rooms, to, { from, patienceMs: 60_000 }));
  for (const one of guests) one.enter();
  return guests;
}

describe('Rooms', () => {
  it('lets in as many as an endpoint has room for, and the next when one leaves', () => {
    const rooms = roomsWith({ endpointConcurrency: 2 }, clock);
    const to = subscriberOf();
    const guests = ['a', 'b', 'c', 'd'].map((name) => guest(rooms, to, name));
    for (const one of guests) expect(one.enter()).toBe(true);
    expect(begun).toEqual(['a', 'b']);
    guests[0]?.leave();
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(rooms.inFlight).toBe(2);
  });

  it('leaves no timer behind when it is closed: of attempts that were watched, of a door that opens later, of those who wait', () => {
    const rooms = roomsWith({ endpointConcurrency: 1 }, clock);
    const to = subscriberOf();
    const [first] = fill(rooms, to, 1);
    guest(rooms, to, 'waits', 'lane', 60_000).enter();
    first?.leave('slow-down', 10_000);
    expect(clock.pending).toBe(3);
    rooms.close();
    expect(clock.pending).toBe(0);
  });

  it('serves live work, retries and replays of an endpoint by their weights', () => {
    const weights = { liveWeight: 16, retryWeight: 4, replayWeight: 1 };
    const rooms = roomsWith({ endpointConcurrency: 2, ...weights }, clock);
    const to = subscriberOf();
    const inside: TestGuest[] = [];
    const count = { lane: 0, retry: 0, replay: 0 };
    const first = fill(rooms, to, 2);
    for (const from of ['lane', 'retry', 'replay'] as const) {
      for (let n = 0; n < 100; n++) {
        const onBegin = (one: TestGuest): void => {
          count[from]++;
          inside.push(one);
        };
        new TestGuest(rooms, to, { from, patienceMs: 60_000, onBegin }).enter();
      }
    }
    for (const one of first) one.leave();
    while (count.lane + count.retry + count.replay < 84) inside.shift()?.leave();
    for (const [from, share] of [
      ['lane', 64],
      ['retry', 16],
      ['replay', 4],
    ] as const)
      expect(Math.abs(count[from] - share)).toBeLessThanOrEqual(1);
  });

  it('gives up what has waited for as long as it would', () => {
    const rooms = roomsWith({ endpointConcurrency: 1 }, clock);
    const to = subscriberOf();
    const inside = guest(rooms, to, 'first');
    inside.enter();
    guest(rooms, to, 'event', 'event', 1_000).enter();
    guest(rooms, to, 'retry', 'retry', 1_000).enter();
    clock.advance(999);
    expect(givenUp).toEqual([]);
    clock.advance(60);
    expect(givenUp).toEqual(['event', 'retry']);
    inside.leave();
    clock.advance(2_000);
    expect(clock.pending).toBe(0);
  });

  it('gives up those who have less patience than who came before them', () => {
    const rooms = roomsWith({ endpointConcurrency: 1 }, clock);
    const to = subscriberOf();
    fill(rooms, to, 1);
    for (const [from, patienceMs] of [
      ['lane', 5_000],
      ['event', 200],
      ['backfill', 60_000],
      ['replay', 300],
    ] as const)
      guest(rooms, to, from, from, patienceMs).enter();
    clock.advance(400);
    expect(givenUp).toEqual(['event', 'replay']);
  });

  it('lets nobody wait who has no time to', () => {
    const rooms = roomsWith({ endpointConcurrency: 1 }, clock);
    const to = subscriberOf();
    expect([guest(rooms, to, 'a', 'event', 0).enter(), guest(rooms, to, 'b', 'event', 0).enter()]).toEqual([
      true,
      false,
    ]);
  });

  it('leaves nobody behind where thousands may not begin any more', () => {
    const rooms = roomsWith({ endpointConcurrency: 1, endpointQueue: 10_000 }, clock);
    const to = subscriberOf();
    const [first] = fill(rooms, to, 1);
    let refused = 0;
    const onBegin = (one: TestGuest): void => {
      refused++;
      one.leave(undefined);
    };
    for (let n = 0; n < 8_000; n++) new TestGuest(rooms, to, { from: 'lane', patienceMs: 60_000, onBegin }).enter();
    first?.leave();
    expect({ refused, inFlight: rooms.inFlight, waiting: to.door?.waiting }).toEqual({
      refused: 8_000,
      inFlight: 0,
      waiting: 0,
    });
  });

  it('takes what the pace of an endpoint can serve in time, and no more', () => {
    const rooms = roomsWith({ endpointConcurrency: 1, endpointQueue: 10_000 }, clock);
    const to = subscriberOf();
    let inside: TestGuest | undefined;
    const onBegin = (one: TestGuest): void => void (inside = one);
    for (let n = 0; n < 1_001; n++)
      expect(new TestGuest(rooms, to, { from: 'lane', patienceMs: 60_000, onBegin }).enter()).toBe(true);
    // One leaves each 10 ms: 900 that still wait take 9 s.
    for (let n = 0; n < 100; n++) {
      clock.advance(10);
      inside?.leave();
    }
    expect(rooms.refusal(guest(rooms, to, 'late', 'lane'))).toEqual({
      ms: 9_000,
      hindrance: 'full',
      ownerPutsOff: true,
    });
    expect(guest(rooms, to, 'patient', 'lane', 60_000).enter()).toBe(true);
    expect(guest(rooms, to, 'impatient', 'lane', 5_000).enter()).toBe(false);
  });

  it('holds no more than its queue, whatever the pace', () => {
    const rooms = roomsWith({ endpointConcurrency: 1, endpointQueue: 2 }, clock);
    const to = subscriberOf();
    expect(['a', 'b', 'c', 'd'].map((name) => guest(rooms, to, name).enter())).toEqual([true, true, true, false]);
    expect(guest(rooms, to, 'replay', 'replay').enter()).toBe(true);
  });
});

describe('where the worker is full, Rooms', () => {
  it('serves a tenant with one that waits as soon as one with a hundred', () => {
    const rooms = roomsWith({ workerConcurrency: 1, tenantQuantumBytes: 1_024 }, clock);
    const inside: TestGuest[] = [];
    const served: string[] = [];
    const [blocker] = fill(rooms, subscriberOf({ id: 'sub_x', tenant: 'ten_x' }), 1);
    const ask = (tenant: string, to: Subscriber): void => {
      const onBegin = (one: TestGuest): void => {
        inside.push(one);
        served.push(tenant);
      };
      new TestGuest(rooms, to, { from: 'event', patienceMs: 60_000, onBegin }).enter();
    };
    const many = Array.from({ length: 10 }, (_, n) => subscriberOf({ id: `sub_${n}`, tenant: 'ten_many' }));
    for (let n = 0; n < 100; n++) ask('many', many[n % 10] as Subscriber);
    const few = subscriberOf({ id: 'sub_few', tenant: 'ten_few' });
    for (let n = 0; n < 5; n++) ask('few', few);
    blocker?.leave();
    while (served.length < 105) inside.shift()?.leave();
    // Turn by turn: the fifth of the few is at most the tenth of all.
    expect(served.lastIndexOf('few')).toBeLessThanOrEqual(10);
    expect(served.filter((tenant) => tenant === 'many')).toHaveLength(100);
  });

  it('serves the doors of a tenant in turn', () => {
    const rooms = roomsWith({ endpointConcurrency: 10, workerConcurrency: 2 }, clock);
    const [wide, narrow] = [subscriberOf({ id: 'sub_w' }), subscriberOf({ id: 'sub_n' })];
    const guests = ['w1', 'w2', 'w3', 'w4', 'w5'].map((name) => guest(rooms, wide, name));
    for (const one of guests) one.enter();
    guest(rooms, narrow, 'n1').enter();
    guests[0]?.leave();
    guests[1]?.leave();
    expect(begun).toEqual(['w1', 'w2', 'w3', 'n1']);
  });

  it('gives replays no more than their share while there is live work, and all but that of live work otherwise', () => {
    const rooms = roomsWith({ workerConcurrency: 210, endpointConcurrency: 1_000 }, clock);
    const [busy, backfilled] = [subscriberOf({ id: 'sub_a' }), subscriberOf({ id: 'sub_b' })];
    const replays = Array.from({ length: 400 }, () => {
      const onBegin = (one: TestGuest): void => void clock.after(20, () => one.leave());
      return new TestGuest(rooms, backfilled, { from: 'replay', patienceMs: 60_000, onBegin });
    });
    const [live] = fill(rooms, busy, 1, 'event');
    for (const replay of replays) replay.enter();
    const states = (): number => replays.filter(({ state }) => state === 'inside').length;
    expect(states()).toBe(10);
    clock.advance(100);
    expect([states(), replays.filter(({ state }) => state === 'left').length >= 20]).toEqual([10, true]);
    live?.leave();
    clock.advance(1_100);
    expect(replays.every(({ state }) => state === 'left')).toBe(true);
  });

  it('finds room for live work at once where a backfill has the endpoint to itself', () => {
    const rooms = roomsWith({ workerConcurrency: 100, endpointConcurrency: 8 }, clock);
    const to = subscriberOf();
    clock.advance(10_000);
    const replays = fill(rooms, to, 1_000, 'replay');
    expect(replays.filter(({ state }) => state === 'inside')).toHaveLength(7);
    guest(rooms, to, 'live').enter();
    expect(begun).toEqual(['live']);
    // And while it comes, they have their share of the endpoint.
    for (const replay of replays.slice(0, 7)) replay.leave();
    expect(replays.filter(({ state }) => state === 'inside')).toHaveLength(1);
  });
});

describe('a rate', () => {
  it('wakes the doors that wait for it with one timer, at the time', () => {
    const rooms = roomsWith({}, clock);
    const rateLimit = { perSecond: 2, burst: 1 };
    const doors = Array.from({ length: 100 }, (_, n) => subscriberOf({ id: `sub_${n}`, rateLimit }));
    const at: number[] = [];
    const start = clock.now();
    for (const to of doors) {
      for (let n = 0; n < 4; n++) {
        const onBegin = (one: TestGuest): void => {
          at.push(clock.now() - start);
          one.leave();
        };
        new TestGuest(rooms, to, { from: 'lane', onBegin }).enter();
      }
    }
    // One for those who wait too long, and one for the rate.
    expect(clock.pending).toBe(2);
    clock.advance(2_500);
    expect(at).toEqual([500, 1_000, 1_500, 2_000].flatMap((time) => Array(100).fill(time)));
  });

  it('takes no more than it can serve in time', () => {
    const rooms = roomsWith({}, clock);
    const to = subscriberOf({ rateLimit: { perSecond: 10, burst: 1 } });
    const taken = Array.from({ length: 100 }, (_, n) => guest(rooms, to, `${n}`, 'lane', 3_000).enter());
    expect(taken.filter(Boolean)).toHaveLength(30);
    expect(rooms.refusal(guest(rooms, to, 'late', 'lane'))).toMatchObject({ ms: 3_000, hindrance: 'rate' });
  });
});

describe('a rate limit that is no more', () => {
  const rateLimit = { perSecond: 1, burst: 1 };
  const change = (to: Subscriber, record: Partial<SubscriptionRecord>): void => {
    to.current = subscriberOf(record).current;
  };

  it('holds up no events at a worker that owned the subscription once', () => {
    const rooms = roomsWith({}, clock, 3, false);
    const to = subscriberOf({ rateLimit });
    const ownership = new AbortController();
    const last = new TestGuest(rooms, to, { from: 'lane', ownership: ownership.signal });
    expect(last.enter()).toBe(true);
    clock.advance(1_000);
    last.leave();
    ownership.abort();
    change(to, { version: 2 });
    const events = Array.from({ length: 20 }, () => new TestGuest(rooms, to));
    for (const event of events) event.enter();
    expect(events.map(({ state }) => state)).toEqual(Array(20).fill('inside'));
  });

  it('counts for nothing when there is one again', () => {
    const rooms = roomsWith({}, clock);
    const to = subscriberOf({ rateLimit: { perSecond: 1, burst: 5 } });
    const first = guest(rooms, to, 'first', 'lane');
    first.enter();
    clock.advance(1_000);
    first.leave();
    clock.advance(60_000);
    change(to, { version: 2 });
    guest(rooms, to, 'event').enter();
    change(to, { version: 3, rateLimit: { perSecond: 1, burst: 5 } });
    guest(rooms, to, 'again', 'lane').enter();
    expect(begun).toEqual(['first', 'event']);
    clock.advance(1_000);
    expect(begun).toEqual(['first', 'event', 'again']);
  });
});

describe('a rate limit that is new', () => {
  it('sends the events that wait to the lane: they are not held until the limit lets them through', () => {
    const rooms = roomsWith({ endpointConcurrency: 1 }, clock);
    const to = subscriberOf();
    fill(rooms, to, 1);
    guest(rooms, to, 'event', 'event', 60_000).enter();
    guest(rooms, to, 'lane', 'lane', 60_000).enter();
    to.current = subscriberOf({ version: 2, rateLimit: { perSecond: 1, burst: 1 } }).current;
    guest(rooms, to, 'next', 'lane', 60_000).enter();
    clock.advance(50);
    expect([givenUp, begun]).toEqual([['event'], []]);
  });
});

describe('slow attempts', () => {
  it('hundreds of endpoints that hang for a whole timeout do not stop the others', () => {
    const rooms = roomsWith({ workerConcurrency: 100, endpointConcurrency: 64, startConcurrency: 4 }, clock);
    const hanging = Array.from({ length: 200 }, (_, n) => subscriberOf({ id: `sub_${n}`, tenant: `ten_${n}` }));
    for (const to of hanging) fill(rooms, to, 8, 'event');
    expect(rooms.inFlight).toBe(100);
    const healthy = subscriberOf({ id: 'sub_healthy', tenant: 'ten_healthy' });
    guest(rooms, healthy, 'waits', 'event', 60_000).enter();
    expect(begun).toEqual([]);
    // Each has its first four inside for as long as those are not slow, and that was all.
    clock.advance(16_000);
    expect(begun).toEqual(['waits']);
    expect([rooms.slowInFlight, rooms.inFlight]).toEqual([800, 801]);
    guest(rooms, healthy, 'goes', 'event', 0).enter();
    expect(begun).toEqual(['waits', 'goes']);
  });

  it('make the limit smaller and send events to the lane, until something succeeds', () => {
    const rooms = roomsWith({ endpointConcurrency: 64, startConcurrency: 16 }, clock);
    const to = subscriberOf();
    const guests = fill(rooms, to, 16);
    const waiting = guest(rooms, to, 'event', 'event', 60_000);
    waiting.enter();
    clock.advance(2_000);
    expect([to.door?.limit.current, rooms.slowInFlight, waiting.state]).toEqual([8, 16, 'gave-up']);
    expect(guest(rooms, to, 'direct').enter()).toBe(false);
    expect(guest(rooms, to, 'lane', 'lane').enter()).toBe(true);
    for (const one of guests.slice(0, 15)) one.leave();
    expect(guest(rooms, to, 'direct').enter()).toBe(true);
  });

  it('count among the others where there are too many of them', () => {
    const rooms = roomsWith({ workerConcurrency: 4, slowConcurrency: 2, endpointConcurrency: 64 }, clock);
    const guests = fill(rooms, subscriberOf({ id: 'sub_h' }), 4);
    clock.advance(2_000);
    expect([rooms.inFlight, rooms.slowInFlight]).toEqual([4, 2]);
    const other = subscriberOf({ id: 'sub_o' });
    for (const name of ['a', 'b', 'c']) guest(rooms, other, name).enter();
    expect(begun).toEqual(['a', 'b']);
    guests[0]?.leave('failed');
    expect(rooms.slowInFlight).toBe(2);
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const one of guests.slice(1)) one.leave('failed');
    expect([rooms.inFlight, rooms.slowInFlight]).toEqual([3, 0]);
  });
});
