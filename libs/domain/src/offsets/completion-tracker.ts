import type { OffsetRun, RemainderRun } from './offset-run.js';
import { PartialRecords } from './partial-records.js';
import { PendingOffsets } from './pending-offsets.js';
import { RecordParts } from './record-parts.js';

/**
 * What is complete in one partition, while it completes out of order.
 *
 * Only what is in flight is held: everything below the position that isn't, is complete, and so are the holes that
 * the log itself has (compaction, control records). Memory is therefore bounded by what is in flight, however far
 * one slow record lags behind the others.
 */
export class CompletionTracker {
  private readonly pending = new PendingOffsets();
  /** Known from the commit's metadata to be complete, at or above the position; ascending and apart from one another. */
  private restored: OffsetRun[];
  private readonly partial: PartialRecords;
  private next: number;
  private changes = 0;

  /**
   * @param watermark the first offset that isn't known to be complete
   * @param complete above the watermark; ascending, apart from one another
   * @param remainders what is left of records that are not complete; ascending, apart from one another
   */
  constructor(watermark: number, complete: readonly OffsetRun[] = [], remainders: readonly RemainderRun[] = []) {
    this.next = watermark;
    this.restored = complete.filter((run) => run.to > watermark);
    this.partial = new PartialRecords(
      remainders.filter((run) => run.to > watermark),
      () => this.changes++,
    );
  }

  /** The next offset to begin. */
  get position(): number {
    return this.next;
  }

  /** The first offset that isn't complete: what may be committed. */
  get watermark(): number {
    return this.pending.oldest ?? this.pastRestored(this.next);
  }

  get inFlight(): number {
    return this.pending.count;
  }

  /** The timestamp given with the oldest record in flight. */
  get oldestTimestamp(): number | undefined {
    return this.pending.oldestTimestamp;
  }

  /** Grows with everything that changes what would be committed. */
  get version(): number {
    return this.changes;
  }

  /**
   * A record came. Offsets must come in ascending order.
   * @returns false if it is complete or in flight already, and is to be skipped
   */
  begin(offset: number, timestamp = 0): boolean {
    if (offset < this.next) return false;
    const known = this.isRestored(offset);
    this.seen(offset + 1);
    if (known) return false;
    this.pending.add(offset, timestamp);
    this.partial.read(offset);
    return true;
  }

  /** Everything below `next` was read: what was not begun there is a hole in the log. */
  seen(next: number): void {
    if (next <= this.next) return;
    this.next = next;
    this.changes++;
    while (this.restored.length > 0 && (this.restored[0] as OffsetRun).to <= next) this.restored.shift();
  }

  /** @returns false if the offset wasn't in flight */
  complete(offset: number): boolean {
    if (!this.pending.remove(offset)) return false;
    this.partial.forget(offset);
    this.changes++;
    return true;
  }

  /**
   * A record in flight is several pieces of work: completes them one by one, so that a restart repeats only what is
   * open. Asked again for the same record, the same are answered.
   * @param parts all of them, by names that are the same whoever does the work
   */
  parts(offset: number, parts: readonly string[]): RecordParts {
    return this.pending.has(offset)
      ? this.partial.parts(offset, parts)
      : new RecordParts(parts, undefined, () => undefined);
  }

  /** What is left of records that are not complete, while some of their parts are; ascending, apart from one another. */
  remainders(): RemainderRun[] {
    return this.partial.remainders();
  }

  /** Whether the offset is known to be complete; what lies above the position may be, from the commit's metadata. */
  isComplete(offset: number): boolean {
    return offset < this.next ? !this.pending.has(offset) : this.isRestored(offset);
  }

  /** What is complete above the watermark; ascending, apart from one another. */
  completeAbove(): OffsetRun[] {
    const runs: OffsetRun[] = [];
    let from: number | undefined;
    for (const offset of this.pending.ascending()) {
      if (from !== undefined && from < offset) runs.push({ from, to: offset });
      from = offset + 1;
    }
    if (from !== undefined && from < this.next) runs.push({ from, to: this.next });
    const watermark = this.watermark;
    for (const run of this.restored) append(runs, { from: Math.max(run.from, this.next), to: run.to }, watermark);
    return runs;
  }

  private isRestored(offset: number): boolean {
    let low = 0;
    let high = this.restored.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.restored[middle] as OffsetRun).to <= offset) low = middle + 1;
      else high = middle;
    }
    const run = this.restored[low];
    return run !== undefined && run.from <= offset;
  }

  private pastRestored(offset: number): number {
    const first = this.restored[0];
    return first !== undefined && first.from <= offset ? first.to : offset;
  }
}

function append(runs: OffsetRun[], run: OffsetRun, watermark: number): void {
  if (run.to <= watermark) return;
  const last = runs.at(-1);
  if (last !== undefined && last.to === run.from) runs[runs.length - 1] = { from: last.from, to: run.to };
  else runs.push(run);
}
