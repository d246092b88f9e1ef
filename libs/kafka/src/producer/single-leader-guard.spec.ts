import { describe, expect, it } from '@jest/globals';
import type { PartitionMetadata } from 'kafkajs';
import { PendingRecord } from './pending-record.js';
import { SingleLeaderGuard } from './single-leader-guard.js';

const nothing = (): void => undefined;
const to = (partition: number): PendingRecord =>
  new PendingRecord({ topic: 't', partition, value: null }, Infinity, nothing, nothing);
const led = (...leaders: number[]): PartitionMetadata[] =>
  leaders.map((leader, partitionId) => ({ partitionErrorCode: 0, partitionId, leader, replicas: [], isr: [] }));

/** Routes the records by the leaders as kafkajs does before a send. */
function route(guard: SingleLeaderGuard, records: PendingRecord[], leaders: PartitionMetadata[]): number[] {
  const partitioner = guard.createPartitioner();
  return records.map((message) => partitioner({ topic: 't', partitionMetadata: leaders, message }));
}

describe('SingleLeaderGuard', () => {
  it('lets through what one broker leads', () => {
    const guard = new SingleLeaderGuard();
    const records = [to(0), to(0), to(2)];
    guard.begin(records[0]);
    expect(route(guard, records, led(1, 2, 1))).toEqual([0, 0, 2]);
  });

  it('stops a send whose partitions have scattered', () => {
    const guard = new SingleLeaderGuard();
    const records = [to(0), to(1)];
    guard.begin(records[0]);
    expect(() => route(guard, records, led(2, 3))).toThrow('led by 3, not by 2');
  });

  it('allows the second try to go to another broker, as long as it is one', () => {
    const guard = new SingleLeaderGuard();
    const records = [to(0), to(1)];
    guard.begin(records[0]);
    route(guard, records, led(1, 1));
    expect(route(guard, records, led(2, 2))).toEqual([0, 1]);
  });

  it('stops a partition that kafkajs would leave out in silence', () => {
    const guard = new SingleLeaderGuard();
    const records = [to(0), to(1)];
    guard.begin(records[0]);
    expect(() => route(guard, records, led(1))).toThrow('has no leader');
  });
});
