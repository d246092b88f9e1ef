import type { PartitionBatch } from './partition-batch.js';
import { RecordQueue } from './record-queue.js';

/**
 * Records of a topic that may go to any partition. All that wait leave together, to one partition; the next flush takes
 * the next one. Narrow flushes are what makes them cheap, so there is one at a time, unless it takes so long that its
 * leader may be gone: then others need not wait for it.
 */
export class SharedQueue extends RecordQueue {
  private latest: PartitionBatch | undefined;
  private latestAt = -Infinity;
  private next = 0;

  constructor(
    readonly topic: string,
    private readonly patienceMs: number,
    /** From the start of one flush to that of the next, at least: flushes become fewer and wider where nobody hurries. */
    private readonly intervalMs: number,
  ) {
    super();
  }

  /** Milliseconds until another flush may start; 0: now. */
  waitMs(now: number): number {
    const passed = now - this.latestAt;
    // Below 0 the clock was set back, maybe by hours.
    return passed < 0 ? 0 : Math.max(0, (this.latest ? this.patienceMs : this.intervalMs) - passed);
  }

  started(batch: PartitionBatch, now: number): void {
    this.latest = batch;
    this.latestAt = now;
    this.next = batch.queue.partition + 1;
  }

  closed(batch: PartitionBatch): void {
    if (this.latest === batch) this.latest = undefined;
  }

  /** The first that will do, from where the last flush went. */
  choose(partitions: number, willDo: (partition: number) => boolean): number | undefined {
    for (let i = 0; i < partitions; i += 1) {
      const partition = (this.next + i) % partitions;
      if (willDo(partition)) return partition;
    }
    return undefined;
  }
}
