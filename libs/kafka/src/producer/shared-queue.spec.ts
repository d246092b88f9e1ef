import { describe, expect, it } from '@jest/globals';
import { PartitionBatch } from './partition-batch.js';
import { PartitionQueue } from './partition-queue.js';
import { SharedQueue } from './shared-queue.js';

const batchTo = (partition: number): PartitionBatch =>
  new PartitionBatch(new PartitionQueue('t', partition, 1), [], () => undefined);

describe('SharedQueue', () => {
  it('lets one flush out at a time, unless it takes too long', () => {
    const queue = new SharedQueue('t', 500, 0);
    const slow = batchTo(0);
    queue.started(slow, 1_000);
    expect(queue.waitMs(1_100)).toBe(400);
    expect(queue.waitMs(1_500)).toBe(0);
  });

  it('is not slowed down by a flush that hangs, once others go another way', () => {
    const queue = new SharedQueue('t', 500, 0);
    const hanging = batchTo(0);
    const quick = batchTo(1);
    queue.started(hanging, 0);
    queue.started(quick, 600);
    expect(queue.waitMs(601)).toBe(499);
    queue.closed(quick);
    expect(queue.waitMs(602)).toBe(0);
  });

  it('waits from one flush to the next where it is told to', () => {
    const queue = new SharedQueue('t', 500, 20);
    const first = batchTo(0);
    expect(queue.waitMs(1_000)).toBe(0);
    queue.started(first, 1_000);
    queue.closed(first);
    expect(queue.waitMs(1_005)).toBe(15);
    expect(queue.waitMs(1_020)).toBe(0);
  });

  it('does not wait for a clock that was set back', () => {
    const queue = new SharedQueue('t', 500, 20);
    const first = batchTo(0);
    queue.started(first, 3_600_000);
    queue.closed(first);
    expect(queue.waitMs(5)).toBe(0);
  });

  it('takes the partitions in turn, past those that will not do', () => {
    const queue = new SharedQueue('t', 500, 0);
    expect(queue.choose(3, () => true)).toBe(0);
    queue.started(batchTo(0), 0);
    expect(queue.choose(3, () => true)).toBe(1);
    expect(queue.choose(3, (partition) => partition !== 1)).toBe(2);
    expect(queue.choose(3, () => false)).toBeUndefined();
  });
});
