import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import type { Batch } from './group-session.js';
import { HandOver } from './hand-over.js';
import { Intake } from './intake.js';
import { OwnedPartition } from './owned-partition.js';
import { OwnedPartitions } from './owned-partitions.js';
import { LetGo } from './record.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Handled {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

describe('the limit of what is in flight', () => {
  let clock: TestClock;
  let owned: OwnedPartitions;
  let intake: Intake;
  let partition: OwnedPartition;
  let handOver: HandOver;
  let mayGive: boolean;
  /** What kafkajs was told last, by partition. */
  let told: Map<number, 'paused' | 'resumed'>;
  /** By offset; of one that is tried again the last. */
  let handled: Map<number, Handled>;

  beforeEach(() => {
    clock = new TestClock();
    handled = new Map();
    owned = new OwnedPartitions();
    mayGive = true;
    told = new Map();
    const fetching = {
      pause: (_: string, number: number) => told.set(number, 'paused'),
      resume: (_: string, number: number) => told.set(number, 'resumed'),
    };
    intake = new Intake(owned, 10, {
      fetching: () => fetching,
      mayGive: () => mayGive,
      give: (from, records) => handOver.give(from, records),
    });
    partition = own(0);
    handOver = new HandOver({
      handler: (records) =>
        records.map(({ offset }) => new Promise((resolve, reject) => handled.set(offset, { resolve, reject }))),
      clock,
      logger: quiet,
      observer: {},
      retry: { firstMs: 100, mostMs: 100 },
      completed: (by, records) => intake.completed(by, records),
      letGo: () => intake.settled(1),
    });
  });

  function own(number: number, highWater = 1_000): OwnedPartition {
    const added = new OwnedPartition('t', number, { records: highWater, bytes: 1e6 }, false, () => intake.setAside());
    added.restore({ watermark: 0, start: 0, end: 100 }, { complete: [], remainders: [] });
    added.pauses.delete('restoring');
    owned.add(added);
    return added;
  }

  function fetch(records: number, by = partition): void {
    const from = by.fetchFrom;
    const messages = Array.from({ length: records }, (_, n) => ({
      offset: String(from + n),
      timestamp: '1',
      key: null,
      value: null,
    }));
    by.offer({ highWatermark: '100', messages } as unknown as Batch);
    intake.apply(by);
  }

  function setAside(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) partition.setAside(offset);
  }

  async function settle(offset: number, error?: Error): Promise<void> {
    const { resolve, reject } = handled.get(offset) as Handled;
    if (error) reject(error);
    else resolve();
    await new Promise((next) => setImmediate(next));
  }

  it('keeps what is fetched past it, and hands that over when a tenth of it is free', async () => {
    fetch(14);
    expect([handled.size, partition.inFlight, partition.waiting, partition.position]).toEqual([10, 10, 4, 10]);
    await settle(0);
    expect([handled.size, partition.waiting, partition.position]).toEqual([11, 3, 11]);
    for (let offset = 1; offset < 6; offset++) await settle(offset);
    expect([handled.size, partition.waiting, intake.isPaused(partition)]).toEqual([14, 0, false]);
    expect([...handled.keys()]).toEqual(Array.from({ length: 14 }, (_, offset) => offset));
  });

  it('counts what is in flight exactly where a partition that was full is given more by a completion, and drains then only', async () => {
    const full = own(1, 4);
    fetch(4, full);
    fetch(2, full);
    expect([full.inFlight, full.waiting]).toEqual([4, 2]);
    await settle(0);
    await settle(1);
    expect([full.inFlight, full.waiting, intake.inFlight]).toEqual([4, 0, 4]);
    intake.pause('stopping');
    let drained = false;
    void intake.drained().then(() => (drained = true));
    for (const offset of [2, 3, 4]) await settle(offset);
    expect([intake.inFlight, drained]).toEqual([1, false]);
    await settle(5);
    expect([intake.inFlight, drained]).toEqual([0, true]);
  });

  it('lets a partition be fetched on before nothing of it waits any more, and not while much does', async () => {
    fetch(10);
    expect(told.get(0)).toBe('resumed');
    fetch(4);
    expect(told.get(0)).toBe('paused');
    await settle(0);
    expect(told.get(0)).toBe('paused');
    await settle(1);
    expect([told.get(0), partition.waiting, partition.fetchFrom]).toEqual(['resumed', 2, 14]);
    fetch(6);
    expect([partition.waiting, partition.fetchFrom]).toEqual([8, 20]);
    for (let offset = 2; offset < 20; offset++) await settle(offset);
    expect([...handled.keys()]).toEqual(Array.from({ length: 20 }, (_, offset) => offset));
  });

  it('fetches nothing of a partition that rests, and gives what was fetched', () => {
    fetch(1);
    expect(told.get(0)).toBe('resumed');
    partition.resting = true;
    fetch(2);
    expect([told.get(0), handled.size]).toEqual(['paused', 3]);
    partition.resting = false;
    intake.apply(partition);
    expect(told.get(0)).toBe('resumed');
  });

  it('gives each partition its part of the room, where there is much at once', () => {
    const second = own(1);
    intake.pause('not yet');
    fetch(40);
    fetch(40, second);
    intake.resume('not yet');
    expect([partition.inFlight, second.inFlight]).toEqual([5, 5]);
  });

  it('begins with another partition each time: none waits until another is read to its end', async () => {
    const [second, third] = [own(1), own(2)];
    fetch(10);
    fetch(40, second);
    fetch(40, third);
    for (let offset = 0; offset < 10; offset++) await settle(offset);
    expect([second.inFlight, third.inFlight]).toEqual([5, 5]);
    expect([second.waiting, third.waiting]).toEqual([35, 35]);
  });

  it('gives nothing while the group may have given the partition to another, and the same when that is known', () => {
    mayGive = false;
    fetch(3);
    expect([handled.size, partition.waiting]).toEqual([0, 3]);
    mayGive = true;
    intake.applyToAll();
    expect([handled.size, partition.waiting]).toEqual([3, 0]);
  });

  it('passes a hole of the log once what was fetched before it is handed over', async () => {
    fetch(12);
    partition.pass(20);
    expect([partition.position, partition.fetchFrom, partition.waiting]).toEqual([10, 20, 2]);
    for (let offset = 0; offset < 10; offset++) await settle(offset);
    expect([handled.size, partition.position]).toEqual([12, 20]);
    for (let offset = 10; offset < 12; offset++) await settle(offset);
    expect(partition.tracker?.watermark).toBe(20);
  });

  it('gives nothing of what was fetched when nothing is to be taken any more', async () => {
    fetch(12);
    intake.pause('stopping');
    for (let offset = 0; offset < 10; offset++) await settle(offset);
    await intake.drained();
    expect([handled.size, partition.waiting, partition.tracker?.watermark]).toEqual([10, 2, 10]);
  });

  it('is not for what is set aside: that is read past, however long it takes', () => {
    fetch(14);
    setAside(0, 1);
    // Twice is once.
    setAside(0, 1);
    expect([handled.size, intake.isPaused(partition)]).toEqual([11, true]);
    setAside(1, 5);
    expect([handled.size, intake.isPaused(partition)]).toEqual([14, false]);
    fetch(1);
    expect(intake.isPaused(partition)).toBe(true);
    // It is in flight as before: for the commit, the partition's own limit, and a stop.
    expect([intake.inFlight, partition.inFlight, partition.tracker?.watermark]).toEqual([15, 15, 0]);
  });

  it('counts no record twice that completes or is let go of while it is set aside', async () => {
    fetch(14);
    setAside(0, 9);
    expect(intake.isPaused(partition)).toBe(false);
    await settle(0);
    await settle(1, new LetGo());
    expect([intake.inFlight, owned.aside]).toEqual([12, 7]);
    // Complete is complete.
    partition.setAside(0);
    expect(owned.aside).toBe(7);
    fetch(4);
    expect(intake.isPaused(partition)).toBe(false);
    fetch(1);
    expect(intake.isPaused(partition)).toBe(true);
  });

  it('counts a record again that is rejected, until it is set aside again', async () => {
    fetch(10);
    setAside(0, 10);
    for (let offset = 0; offset < 10; offset++) await settle(offset, new Error('refused'));
    expect(owned.aside).toBe(0);
    fetch(1);
    expect(intake.isPaused(partition)).toBe(true);
    await clock.advanceAsync(100);
    setAside(0, 10);
    expect(intake.isPaused(partition)).toBe(false);
  });

  it('forgets what is set aside with the partition', () => {
    fetch(10);
    setAside(0, 10);
    owned.remove(partition);
    partition.revoke('by the test');
    intake.recount();
    partition.setAside(3);
    expect([intake.inFlight, owned.aside]).toEqual([0, 0]);
  });

  it('drains only when what is set aside is complete too', async () => {
    let isDrained = false;
    fetch(2);
    setAside(0, 2);
    void intake.drained().then(() => (isDrained = true));
    await settle(0);
    expect(isDrained).toBe(false);
    await settle(1);
    expect(isDrained).toBe(true);
  });
});
