import type { OwnedPartition } from './owned-partition.js';

interface Seen {
  progress: number;
  since: number;
}

/** Tells which partitions have something to do and haven't moved for a while. */
export class StallWatch {
  private readonly seen = new WeakMap<OwnedPartition, Seen>();

  constructor(
    private readonly stallMs: number,
    private readonly monotonic: () => number,
    private readonly waitsOnPurpose: (topic: string) => boolean,
  ) {}

  /** To be called every now and then, more often than the stall's time. @param gated intake is paused from outside */
  look(partitions: readonly OwnedPartition[], gated: boolean): void {
    const now = this.monotonic();
    for (const partition of partitions) {
      const before = this.seen.get(partition);
      if (before?.progress === partition.progress && this.hasWork(partition, gated)) continue;
      this.seen.set(partition, { progress: partition.progress, since: now });
    }
  }

  stalled(partitions: readonly OwnedPartition[]): OwnedPartition[] {
    const now = this.monotonic();
    return partitions.filter((each) => now - (this.seen.get(each)?.since ?? now) >= this.stallMs);
  }

  private hasWork(partition: OwnedPartition, gated: boolean): boolean {
    if (partition.pauses.has('restoring') || partition.isStuck) return true;
    if (partition.inFlight > 0 && !this.waitsOnPurpose(partition.topic)) return true;
    return partition.behind && !gated && partition.pauses.size === 0;
  }
}
