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
  /** By offset; of one that is tried again the last. */
  let handled: Map<number, Handled>;

  beforeEach(() => {
    clock = new TestClock();
    handled = new Map();
    owned = new OwnedPartitions();
    intake = new Intake(owned, 10, () => ({ pause: () => undefined, resume: () => undefined }));
    const onSetAside = (): void => intake.setAside();
    partition = new OwnedPartition('t', 0, { records: 1_000, bytes: 1e6 }, false, onSetAside);
    partition.restore({ watermark: 0, start: 0, end: 100 }, { complete: [], remainders: [] });
    partition.pauses.delete('restoring');
    owned.add(partition);
    handOver = new HandOver({
      handler: (records) =>
        records.map(({ offset }) => new Promise((resolve, reject) => handled.set(offset, { resolve, reject }))),
      clock,
      logger: quiet,
      observer: {},
      retry: { firstMs: 100, mostMs: 100 },
      completed: (_, records) => intake.settled(records),
      letGo: () => intake.settled(1),
    });
  });

  function take(records: number): void {
    const from = partition.position;
    const messages = Array.from({ length: records }, (_, n) => ({
      offset: String(from + n),
      timestamp: '1',
      key: null,
      value: null,
    }));
    const taken = partition.take({ topic: 't', partition: 0, highWatermark: '100', messages } as unknown as Batch);
    intake.recount();
    handOver.give(partition, taken);
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

  it('pauses all that is read until half of it is complete', async () => {
    take(10);
    expect(intake.isPaused(partition)).toBe(true);
    for (let offset = 0; offset < 4; offset++) await settle(offset);
    expect(intake.isPaused(partition)).toBe(true);
    await settle(4);
    expect(intake.isPaused(partition)).toBe(false);
  });

  it('is not for what is set aside: that is read past, however long it takes', () => {
    take(10);
    setAside(0, 4);
    // Twice is once.
    setAside(0, 4);
    expect(intake.isPaused(partition)).toBe(true);
    setAside(4, 5);
    expect(intake.isPaused(partition)).toBe(false);
    take(4);
    expect(intake.isPaused(partition)).toBe(false);
    take(1);
    expect(intake.isPaused(partition)).toBe(true);
    // It is in flight as before: for the commit, the partition's own limit, and a stop.
    expect([intake.inFlight, partition.inFlight, partition.tracker?.watermark]).toEqual([15, 15, 0]);
  });

  it('counts no record twice that completes or is let go of while it is set aside', async () => {
    take(14);
    setAside(0, 9);
    expect(intake.isPaused(partition)).toBe(false);
    await settle(0);
    await settle(1, new LetGo());
    expect([intake.inFlight, owned.aside]).toEqual([12, 7]);
    // Complete is complete.
    partition.setAside(0);
    expect(owned.aside).toBe(7);
    take(4);
    expect(intake.isPaused(partition)).toBe(false);
    take(1);
    expect(intake.isPaused(partition)).toBe(true);
  });

  it('counts a record again that is rejected, until it is set aside again', async () => {
    take(10);
    setAside(0, 10);
    for (let offset = 0; offset < 10; offset++) await settle(offset, new Error('refused'));
    expect(owned.aside).toBe(0);
    take(1);
    expect(intake.isPaused(partition)).toBe(true);
    await clock.advanceAsync(100);
    setAside(0, 10);
    expect(intake.isPaused(partition)).toBe(false);
  });

  it('forgets what is set aside with the partition', () => {
    take(10);
    setAside(0, 10);
    owned.remove(partition);
    partition.revoke('by the test');
    intake.recount();
    partition.setAside(3);
    expect([intake.inFlight, owned.aside]).toEqual([0, 0]);
  });

  it('drains only when what is set aside is complete too', async () => {
    let isDrained = false;
    take(2);
    setAside(0, 2);
    void intake.drained().then(() => (isDrained = true));
    await settle(0);
    expect(isDrained).toBe(false);
    await settle(1);
    expect(isDrained).toBe(true);
  });
});
