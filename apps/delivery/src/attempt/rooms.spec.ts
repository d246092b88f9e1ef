import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import { Door, type Origin } from './door.js';
import { Rooms } from './rooms.js';

let clock: TestClock;
let begun: string[];
let givenUp: string[];

beforeEach(() => {
  clock = new TestClock();
  begun = [];
  givenUp = [];
});

const roomsFor = (limits: { endpoint: number; worker: number; queue?: number }): Rooms =>
  new Rooms(
    {
      endpointConcurrency: limits.endpoint,
      workerConcurrency: limits.worker,
      endpointQueue: limits.queue ?? 1_000,
    },
    clock,
  );

const job = (name: string, from: Origin = 'event', patienceMs = 5_000) => ({
  from,
  patienceMs,
  begin: () => void begun.push(name),
  giveUp: () => void givenUp.push(name),
});

describe('Rooms', () => {
  it('lets in as many as an endpoint has room for, and the next when one leaves', () => {
    const rooms = roomsFor({ endpoint: 2, worker: 10 });
    const door = new Door();
    for (const name of ['a', 'b', 'c', 'd']) expect(rooms.enter(door, job(name))).toBe(true);
    expect(begun).toEqual(['a', 'b']);
    rooms.leave(door);
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(rooms.inFlight).toBe(2);
  });

  it('serves a lane first, then events, then replays', () => {
    const rooms = roomsFor({ endpoint: 1, worker: 10 });
    const door = new Door();
    rooms.enter(door, job('first'));
    rooms.enter(door, job('replay', 'replay'));
    rooms.enter(door, job('event', 'event'));
    rooms.enter(door, job('lane', 'lane'));
    for (let left = 0; left < 3; left++) rooms.leave(door);
    expect(begun).toEqual(['first', 'lane', 'event', 'replay']);
  });

  it('serves the doors in turn where the worker is full', () => {
    const rooms = roomsFor({ endpoint: 10, worker: 2 });
    const [wide, narrow] = [new Door(), new Door()];
    for (const name of ['w1', 'w2', 'w3', 'w4', 'w5']) rooms.enter(wide, job(name));
    rooms.enter(narrow, job('n1'));
    rooms.leave(wide);
    rooms.leave(wide);
    expect(begun).toEqual(['w1', 'w2', 'w3', 'n1']);
  });

  it('gives up what has waited for as long as it would', () => {
    const rooms = roomsFor({ endpoint: 1, worker: 10 });
    const door = new Door();
    rooms.enter(door, job('first'));
    rooms.enter(door, job('event', 'event', 1_000));
    rooms.enter(door, job('lane', 'lane', 1_000));
    clock.advance(999);
    expect(givenUp).toEqual([]);
    clock.advance(60);
    expect(givenUp).toEqual(['lane', 'event']);
    expect(clock.pending).toBe(0);
  });

  it('leaves nobody behind where thousands may not begin any more', () => {
    const rooms = roomsFor({ endpoint: 1, worker: 10, queue: 10_000 });
    const door = new Door();
    rooms.enter(door, job('first'));
    let refused = 0;
    for (let i = 0; i < 8_000; i++) {
      const refuse = (): void => {
        refused++;
        rooms.leave(door);
      };
      rooms.enter(door, { ...job('refused', 'lane', 60_000), begin: refuse });
    }
    rooms.leave(door);
    expect({ refused, inFlight: rooms.inFlight, waiting: door.waiting }).toEqual({
      refused: 8_000,
      inFlight: 0,
      waiting: 0,
    });
  });

  it('takes what the pace of an endpoint can serve in time, and no more', () => {
    const rooms = roomsFor({ endpoint: 1, worker: 10, queue: 10_000 });
    const door = new Door();
    rooms.enter(door, job('first', 'lane'));
    for (let n = 0; n < 1_000; n++) expect(rooms.enter(door, job(`w${n}`, 'lane'))).toBe(true);
    // One leaves each 10 ms: 900 that still wait take 9 s.
    for (let n = 0; n < 100; n++) {
      clock.advance(10);
      rooms.leave(door);
    }
    expect(rooms.enter(door, job('patient', 'lane', 60_000))).toBe(true);
    expect(rooms.enter(door, job('impatient', 'lane', 5_000))).toBe(false);
    expect(rooms.expectedWaitMs(door, 'lane')).toBeCloseTo(9_010, -2);
  });

  it('holds no more than its queue, whatever the pace', () => {
    const rooms = roomsFor({ endpoint: 1, worker: 10, queue: 2 });
    const door = new Door();
    expect(['a', 'b', 'c', 'd'].map((name) => rooms.enter(door, job(name)))).toEqual([true, true, true, false]);
  });
});
