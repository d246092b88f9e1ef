import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import type { RecordMetadata } from 'kafkajs';
import { FlushScheduler } from './flush-scheduler.js';
import type { LaneProducer } from './leader-lane.js';
import type { PartitionBatch } from './partition-batch.js';
import { PendingRecord } from './pending-record.js';
import { silentObserver } from './pump-observer.js';
import { PACED_FROM } from './round-pace.js';

interface Send {
  at: number;
  /** How many records, by partition. */
  sent: Record<number, number>;
  answer(): void;
}

const START = 1_000;
const ignore = (): void => undefined;

/** Sends of three leaders, each with the partition of its number; a send is out until the test answers it. */
class Rig {
  readonly clock = new TestClock(START);
  readonly sends: Send[] = [];
  readonly stopped = new AbortController();
  readonly scheduler: FlushScheduler;

  constructor(gatherMs = 0) {
    const settings = { maxFlushRecords: 1_000, maxFlushBytes: 1_000_000, patienceMs: 500, roundIntervalMs: 15 };
    const around = {
      clock: this.clock,
      logger: silentLogger,
      observer: silentObserver,
      stopped: this.stopped.signal,
      onStale: ignore,
    };
    this.scheduler = new FlushScheduler(() => this.newProducer(), { ...settings, gatherMs }, around, ignore);
    this.scheduler.update('t', [0, 1, 2]);
  }

  /** @param partition absent: any */
  add(count: number, partition = -1, unhurried = false): void {
    for (let i = 0; i < count; i += 1) {
      const record = { topic: 't', partition, value: Buffer.from('x'), unhurried };
      this.scheduler.add(new PendingRecord(record, Infinity, ignore, ignore));
    }
  }

  /** @returns how each ended, as soon as it has */
  addGuarded(count: number, partition: number, mayLeave: () => boolean): string[] {
    const ends: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const record = { topic: 't', partition, value: Buffer.from('x'), mayLeave };
      const resolve = (): void => void ends.push('durable');
      this.scheduler.add(
        new PendingRecord(record, Infinity, resolve, ({ name, reason }) => ends.push(`${name} ${reason}`)),
      );
    }
    return ends;
  }

  /** What was sent after so many milliseconds, and how many records it had by partition. */
  get log(): [ms: number, sent: Record<number, number>][] {
    return this.sends.map(({ at, sent }) => [at - START, sent]);
  }

  async answer(...sends: number[]): Promise<void> {
    for (const send of sends) this.sends[send]?.answer();
    await this.clock.advanceAsync(0);
  }

  private newProducer(): LaneProducer {
    const done = async (): Promise<void> => undefined;
    const send = (batches: readonly PartitionBatch[]): Promise<RecordMetadata[]> =>
      new Promise((resolve) => {
        const sent = Object.fromEntries(batches.map(({ queue, piece }) => [queue.partition, piece.length]));
        const acknowledged = batches.map(({ queue: { topic: topicName, partition } }) => {
          return { topicName, partition, errorCode: 0, baseOffset: '0' };
        });
        this.sends.push({ at: this.clock.now(), sent, answer: () => resolve(acknowledged) });
      });
    return {
      send,
      doubtLeaders: ignore,
      reconnect: done,
      replace: done,
      renewIfWorn: done,
      warm: done,
      close: done,
    };
  }
}

describe('FlushScheduler', () => {
  it('makes few records wait for nothing but the answer to what is out', async () => {
    const rig = new Rig();
    rig.add(1, 0);
    await rig.clock.advanceAsync(0);
    rig.add(PACED_FROM - 1, 1);
    await rig.clock.advanceAsync(1);
    rig.add(1, 0);
    await rig.clock.advanceAsync(1);
    await rig.answer(0);
    expect(rig.log).toEqual([
      [0, { 0: 1 }],
      [0, { 1: PACED_FROM - 1 }],
      [2, { 0: 1 }],
    ]);
  });

  it('begins with all leaders at once, and then gathers until the interval is over', async () => {
    const rig = new Rig();
    rig.add(PACED_FROM - 3, 0);
    rig.add(3, 1);
    await rig.clock.advanceAsync(3);
    await rig.answer(0, 1);
    rig.add(1, 0);
    await rig.clock.advanceAsync(5);
    rig.add(1, 0);
    rig.add(2, 1);
    rig.add(3, 2);
    await rig.clock.advanceAsync(6);
    expect(rig.sends).toHaveLength(2);
    await rig.clock.advanceAsync(1);
    expect(rig.log).toEqual([
      [0, { 0: PACED_FROM - 3 }],
      [0, { 1: 3 }],
      [15, { 0: 2 }],
      [15, { 1: 2 }],
      [15, { 2: 3 }],
    ]);
  });

  it('leaves out a leader that is busy, and keeps the others waiting for nothing', async () => {
    const rig = new Rig();
    rig.add(PACED_FROM, 0);
    rig.add(1, 1);
    await rig.clock.advanceAsync(0);
    await rig.answer(1);
    rig.add(2, 0);
    rig.add(3, 1);
    await rig.clock.advanceAsync(20);
    expect(rig.log.slice(2)).toEqual([[15, { 1: 3 }]]);
    await rig.answer(0);
    expect(rig.log.slice(3)).toEqual([[20, { 0: 2 }]]);
  });

  it('sends what may go anywhere in the same rounds, but no more often than it is told to', async () => {
    const rig = new Rig(20);
    rig.add(PACED_FROM);
    await rig.clock.advanceAsync(0);
    await rig.answer(0);
    rig.add(2);
    rig.add(1, 0);
    await rig.clock.advanceAsync(30);
    expect(rig.log).toEqual([
      [0, { 0: PACED_FROM }],
      [15, { 0: 1 }],
      [20, { 1: 2 }],
    ]);
  });

  it('lets what is in no hurry wait for company to its leader, and for no longer than it may', async () => {
    const rig = new Rig(20);
    rig.add(2, 0, true);
    rig.add(2, 1, true);
    await rig.clock.advanceAsync(7);
    rig.add(1, 1);
    rig.add(1, 2);
    await rig.clock.advanceAsync(30);
    expect(rig.log).toEqual([
      [7, { 1: 3 }],
      [7, { 2: 1 }],
      [20, { 0: 2 }],
    ]);
  });

  it('takes what is in no hurry along to another partition of its leader', async () => {
    const rig = new Rig(20);
    rig.scheduler.update('t', [0, 0, 0]);
    rig.add(2, 0, true);
    await rig.clock.advanceAsync(7);
    rig.add(1, 1);
    await rig.clock.advanceAsync(30);
    expect(rig.log).toEqual([[7, { 0: 2, 1: 1 }]]);
  });

  it('lets nothing wait behind a clock that was set back', async () => {
    const rig = new Rig(20);
    rig.add(1, 0, true);
    await rig.clock.advanceAsync(0);
    rig.clock.advance(-3_600_000);
    rig.add(1, 1);
    await rig.clock.advanceAsync(0);
    expect(rig.sends.map(({ sent }) => sent)).toEqual([{ 0: 1 }, { 1: 1 }]);
  });

  it('A frozen worker wakes with records in its queue: they do not leave, and their callers are told', async () => {
    const rig = new Rig();
    let owns = true;
    rig.add(1, 0);
    await rig.clock.advanceAsync(0);
    const first = rig.addGuarded(1_001, 0, () => owns);
    const alone = rig.addGuarded(2, 1, () => owns);
    // It waits for the answer to what is out; the rest of them is frozen with it.
    await rig.clock.advanceAsync(0);
    owns = false;
    const others = rig.addGuarded(2, 0, () => true);
    await rig.answer(0, 1);
    await rig.clock.advanceAsync(50);
    expect(rig.log.map(([, sent]) => sent)).toEqual([{ 0: 1 }, { 1: 2 }, { 0: 2 }]);
    await rig.answer(2);
    expect(first).toEqual(Array.from({ length: 1_001 }, () => 'NotDurable fenced'));
    expect([alone, others]).toEqual([
      ['durable', 'durable'],
      ['durable', 'durable'],
    ]);
  });

  it('sends nothing more once it has stopped', async () => {
    const rig = new Rig();
    rig.add(PACED_FROM, 0);
    await rig.clock.advanceAsync(1);
    rig.add(1, 1);
    await rig.clock.advanceAsync(1);
    expect(rig.clock.pending).toBe(1);
    rig.stopped.abort();
    await rig.scheduler.close();
    expect(rig.clock.pending).toBe(0);
    await rig.answer(0);
    await rig.clock.advanceAsync(100);
    expect(rig.sends).toHaveLength(1);
  });
});
