import { partitionOf } from './murmur2.js';
import { PartitionQueue } from './partition-queue.js';
import type { PendingRecord } from './pending-record.js';
import { RecordQueue } from './record-queue.js';
import { SharedQueue } from './shared-queue.js';
import type { Leaders } from './topic-layout.js';

/** All that waits for one topic. */
export class TopicQueues {
  readonly shared: SharedQueue;
  readonly partitions: PartitionQueue[] = [];
  /** While the partitions are not known yet. */
  private readonly unrouted = new RecordQueue();

  constructor(topic: string, patienceMs: number, intervalMs: number) {
    this.shared = new SharedQueue(topic, patienceMs, intervalMs);
  }

  /** Puts the record where it has to wait, and returns that; undefined if it names a partition that isn't there. */
  route(record: PendingRecord, now: number): RecordQueue | undefined {
    const queue = this.queueOf(record);
    if (queue instanceof PartitionQueue) queue.add(record, now);
    else queue?.push(record);
    return queue;
  }

  /** Returns what has waited for this and now has to be routed. */
  update(leaders: Leaders): PendingRecord[] {
    leaders.forEach((leader, partition) => {
      const queue = this.partitions[partition];
      if (queue) queue.leader = leader;
      else this.partitions[partition] = new PartitionQueue(this.shared.topic, partition, leader);
    });
    return this.unrouted.takeAll();
  }

  *queues(): Iterable<RecordQueue> {
    yield this.unrouted;
    yield this.shared;
    yield* this.partitions;
  }

  private queueOf(record: PendingRecord): RecordQueue | undefined {
    const count = this.partitions.length;
    if (count === 0) return this.unrouted;
    if (record.partition < 0) {
      if (!record.key) return this.shared;
      record.partition = partitionOf(record.key, count);
    }
    return this.partitions[record.partition];
  }
}
