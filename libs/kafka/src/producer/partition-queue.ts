import type { PendingRecord } from './pending-record.js';
import { RecordQueue, type Room } from './record-queue.js';

/** What waits for one partition. */
export class PartitionQueue extends RecordQueue {
  /**
   * A batch is out. Nothing newer leaves before it is settled, by whichever lane: after a change of leader that
   * keeps both the order and the sequence of the producer that began it.
   */
  busy = false;
  /** When the longest waiting of those that are in no hurry came, ms; undefined if one is in a hurry, or none is here. */
  private unhurriedSince: number | undefined;

  constructor(
    readonly topic: string,
    readonly partition: number,
    public leader: number,
  ) {
    super();
  }

  /** @param now when it comes, ms */
  add(record: PendingRecord, now: number): void {
    if (!record.unhurried) this.unhurriedSince = undefined;
    else if (this.length === 0) this.unhurriedSince = now;
    this.push(record);
  }

  /** Milliseconds for which what is here may still wait for company; 0: it is to leave. */
  mayWaitMs(now: number, gatherMs: number): number {
    if (this.unhurriedSince === undefined) return 0;
    const passed = now - this.unhurriedSince;
    // Below 0 the clock was set back, maybe by hours.
    return passed < 0 ? 0 : Math.max(0, gatherMs - passed);
  }

  /** What is left behind was there too long already. */
  override take(room: Room, alone: boolean): PendingRecord[] {
    this.unhurriedSince = undefined;
    return super.take(room, alone);
  }
}
