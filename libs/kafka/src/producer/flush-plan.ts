import { PartitionBatch } from './partition-batch.js';
import type { PartitionQueue } from './partition-queue.js';
import type { PendingRecord } from './pending-record.js';
import type { RecordQueue, Room } from './record-queue.js';

/** What one lane sends next: batches of partitions of one leader, within the limits of a flush. */
export class FlushPlan {
  readonly batches: PartitionBatch[] = [];
  /** How many it has. */
  records = 0;
  private readonly room: Room;

  constructor(
    limits: Room,
    private readonly onSettled: (record: PendingRecord) => void,
  ) {
    this.room = { ...limits };
  }

  get full(): boolean {
    return this.room.records <= 0 || this.room.bytes <= 0;
  }

  /** Moves what fits from `source` into the batch of `target`; undefined if nothing did. */
  take(source: RecordQueue, target: PartitionQueue): PartitionBatch | undefined {
    const records = this.takeAllowed(source);
    if (records.length === 0) return undefined;
    this.records += records.length;
    const same = this.batches.find(({ queue }) => queue === target);
    if (same) {
      same.add(records);
      return same;
    }
    const batch = new PartitionBatch(target, records, this.onSettled);
    this.batches.push(batch);
    return batch;
  }

  /** Of those that may not leave any more their callers are told, and others take their room. */
  private takeAllowed(source: RecordQueue): PendingRecord[] {
    for (;;) {
      const taken = source.take(this.room, this.batches.length === 0);
      if (taken.every(isAllowed)) return taken;
      const allowed = taken.filter((record) => isAllowed(record) || this.fence(record));
      if (allowed.length > 0) return allowed;
    }
  }

  private fence(record: PendingRecord): false {
    record.fail('fenced', 'it was not sent: who wrote it may not act any more');
    this.room.records += 1;
    this.room.bytes += record.bytes;
    this.onSettled(record);
    return false;
  }
}

function isAllowed({ mayLeave }: PendingRecord): boolean {
  return mayLeave === undefined || mayLeave();
}
