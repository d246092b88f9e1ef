import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Batch } from './group-session.js';
import { OwnedPartition } from './owned-partition.js';
import type { LogRecord } from './record.js';
import { StallWatch } from './stall-watch.js';

function batchOf(offsets: readonly number[], highWatermark: number): Batch {
  const messages = offsets.map((offset) => ({ offset: String(offset), timestamp: '1', key: null, value: null }));
  return { topic: 't', partition: 0, highWatermark: String(highWatermark), messages } as unknown as Batch;
}

describe('StallWatch', () => {
  let now: number;
  let partition: OwnedPartition;
  let purpose: boolean;
  let watch: StallWatch;

  beforeEach(() => {
    now = 0;
    purpose = false;
    watch = new StallWatch(
      1_000,
      () => now,
      () => purpose,
    );
    partition = new OwnedPartition('t', 0, { records: 10, bytes: 1_000 }, false);
    partition.restore({ watermark: 0, start: 0, end: 0 }, { complete: [], remainders: [] });
    partition.pauses.delete('restoring');
  });

  function read(batch: Batch): LogRecord[] {
    partition.offer(batch);
    return partition.take(Infinity);
  }

  function stalledAfter(ms: number, gated = false): boolean {
    watch.look([partition], gated);
    now += ms;
    watch.look([partition], gated);
    return watch.stalled([partition]).length > 0;
  }

  it('idle is not stalled', () => expect(stalledAfter(5_000)).toBe(false));

  it('records in flight that never complete are', () => {
    read(batchOf([0, 1], 2));
    expect(stalledAfter(999)).toBe(false);
    expect(stalledAfter(1)).toBe(true);
  });

  it('one that completes is progress', () => {
    const [first] = read(batchOf([0, 1], 2));
    expect(stalledAfter(1_000)).toBe(true);
    if (first) partition.complete(first);
    expect(stalledAfter(999)).toBe(false);
  });

  it('records that wait until they are due are not', () => {
    purpose = true;
    read(batchOf([0, 1], 2));
    expect(stalledAfter(5_000)).toBe(false);
  });

  it('a log that goes on without being read is, unless intake is paused from outside', () => {
    const [only] = read(batchOf([0], 100));
    if (only) partition.complete(only);
    expect(stalledAfter(1_000, true)).toBe(false);
    expect(stalledAfter(1_000, false)).toBe(true);
  });

  it('a pause for full metadata is where nothing is in flight that could end it', () => {
    purpose = true;
    const [only] = read(batchOf([0], 1));
    partition.pauses.add('metadata');
    expect(stalledAfter(5_000)).toBe(false);
    if (only) partition.complete(only);
    expect(stalledAfter(999)).toBe(false);
    expect(stalledAfter(1)).toBe(true);
  });

  it('progress that cannot be restored is', () => {
    partition.pauses.add('restoring');
    expect(stalledAfter(1_000)).toBe(true);
  });
});
