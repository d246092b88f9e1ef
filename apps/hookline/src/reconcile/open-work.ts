import type { OffsetRun } from '@hookline/domain';

/** How far a group has come in a partition, by its last commit. */
export interface Committed {
  /** The first offset that isn't known to be complete; undefined: nothing was committed. */
  watermark: number | undefined;
  /** Complete above it: ascending, apart from one another. */
  complete: readonly OffsetRun[];
}

/** What a group has not completed of one topic's partitions, when its commits were read. */
export class OpenWork {
  constructor(private readonly committed: ReadonlyMap<number, Committed>) {}

  /** A record of which some parts are complete is open. */
  isOpen(partition: number, offset: number): boolean {
    const { watermark, complete = [] } = this.committed.get(partition) ?? {};
    if (watermark === undefined) return true;
    return offset >= watermark && !isWithin(complete, offset);
  }

  /** Everything below it is complete; 0 where nothing was ever committed. */
  watermark(partition: number): number {
    return this.committed.get(partition)?.watermark ?? 0;
  }
}

function isWithin(runs: readonly OffsetRun[], offset: number): boolean {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle] as OffsetRun).to <= offset) low = middle + 1;
    else high = middle;
  }
  const run = runs[low];
  return run !== undefined && run.from <= offset;
}
