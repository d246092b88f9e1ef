import { CompletionTracker, type OffsetProgress, type RecordParts } from '@hookline/domain';
import { FetchedRecords } from './fetched-records.js';
import type { Batch } from './group-session.js';
import type { Assignment, LogRecord } from './record.js';
import type { PartitionStats } from './runner-observer.js';
import type { Bounds, RestoredProgress } from './runner-options.js';

/** Why a partition isn't read; it is read again when no reason is left. */
export type PauseReason = 'restoring' | 'high-water' | 'metadata';

/** Headers count too: a record that names a thousand subscriptions does it there. */
export function sizeOf({ key, value, headers }: LogRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += headers[name]?.length ?? 0;
  return bytes;
}

/**
 * One assignment with all that belongs to it: what was read, what is in flight, what may be committed. It dies with
 * the assignment, so that what a former owner still completes changes nothing for the next.
 */
export class OwnedPartition implements Assignment {
  readonly pauses = new Set<PauseReason>(['restoring']);
  /** Read to its end, and not looked at for a moment. */
  resting = false;
  /** As kafkajs was told. */
  told: 'paused' | 'resumed' = 'paused';
  /** The tracker's version that the broker has; −1 when it has nothing of this assignment's. */
  committedVersion = -1;
  inFlightBytes = 0;
  /** Grows with every record read or completed. */
  progress = 0;
  private readonly revoked = new AbortController();
  private readonly setAsideOffsets = new Set<number>();
  private readonly fetched = new FetchedRecords();
  private tracking: CompletionTracker | undefined;
  private released = 0;
  private next = 0;
  private end = 0;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly highWater: Bounds,
    private readonly looksBack: boolean,
    private readonly onSetAside: () => void = () => undefined,
  ) {}

  get signal(): AbortSignal {
    return this.revoked.signal;
  }

  get alive(): boolean {
    return !this.revoked.signal.aborted;
  }

  revoke(reason: string): void {
    this.revoked.abort(new Error(`partition ${this.topic}/${this.partition} was taken away: ${reason}`));
  }

  /** Undefined until the progress is restored. */
  get tracker(): CompletionTracker | undefined {
    return this.tracking;
  }

  /** The next offset to hand over. */
  get position(): number {
    return this.next;
  }

  /** The next offset to fetch. */
  get fetchFrom(): number {
    return Math.max(this.next, this.fetched.end);
  }

  /** How many records were fetched and not handed over. */
  get waiting(): number {
    return this.fetched.size;
  }

  /** So many of them that no more need be fetched for now. */
  get hasEnough(): boolean {
    return this.fetched.isAmple;
  }

  get inFlight(): number {
    return this.tracking?.inFlight ?? 0;
  }

  /** In flight and worked on: not given back by the handler until the next owner. */
  get working(): number {
    return this.inFlight - this.released;
  }

  /** How many of those are set aside. */
  get aside(): number {
    return this.setAsideOffsets.size;
  }

  /** Paused for its metadata, and nothing is worked on that could make that shorter. */
  get isStuck(): boolean {
    return this.pauses.has('metadata') && this.working === 0;
  }

  /** No more stood in the log than was fetched. */
  get isFetched(): boolean {
    return this.fetchFrom >= this.end;
  }

  /** More stands in the log than was handed over. */
  get behind(): boolean {
    return this.next < this.end;
  }

  restore(
    progress: Pick<RestoredProgress, 'watermark' | 'start' | 'end'>,
    { complete, remainders }: OffsetProgress,
  ): void {
    this.tracking = new CompletionTracker(progress.watermark, complete, remainders);
    this.fetched.clear();
    this.next = progress.start;
    this.end = progress.end;
  }

  partsOf(offset: number, parts: readonly string[]): RecordParts {
    if (this.tracking === undefined) throw new Error('no record was read yet');
    return this.tracking.parts(offset, parts);
  }

  setAside(offset: number): void {
    if (!this.alive || this.tracking?.isComplete(offset) !== false || this.setAsideOffsets.has(offset)) return;
    this.setAsideOffsets.add(offset);
    this.onSetAside();
  }

  /** Its handler rejected it: what it was set aside for is over. */
  takeBack({ offset }: LogRecord): void {
    this.setAsideOffsets.delete(offset);
  }

  /** Goes on from a later offset, once what was fetched is handed over; nothing else is left to be read before it. */
  pass(offset: number): void {
    this.fetched.pass(offset);
    if (this.fetched.size === 0) this.reach(this.fetched.end);
  }

  private reach(offset: number): void {
    this.tracking?.seen(offset);
    this.next = Math.max(this.next, offset);
  }

  /** Keeps what was fetched until it is taken. */
  offer({ messages, highWatermark }: Batch): void {
    this.fetched.add(messages);
    this.end = Math.max(this.fetchFrom, Number(highWatermark));
  }

  /** The next records that are to be handed over, so many at most; the others are complete or in flight. */
  take(most: number): LogRecord[] {
    const tracker = this.tracking;
    const records: LogRecord[] = [];
    if (tracker === undefined) return records;
    const { topic, partition } = this;
    for (let message = this.fetched.shift(); message !== undefined; message = this.fetched.shift()) {
      this.progress++;
      const offset = Number(message.offset);
      if (offset < this.next) continue;
      this.next = offset + 1;
      const timestamp = Number(message.timestamp);
      const open = tracker.begin(offset, timestamp);
      if (!open && !this.looksBack) continue;
      const { key, value, headers = {} } = message;
      const record = { assignment: this, topic, partition, offset, timestamp, key, value, headers, done: !open };
      records.push(record);
      if (open) this.inFlightBytes += sizeOf(record);
      if (records.length >= most) break;
    }
    if (this.fetched.size === 0) this.reach(this.fetched.end);
    this.checkHighWater();
    return records;
  }

  /** @returns whether it was in flight */
  complete(record: LogRecord): boolean {
    if (this.tracking?.complete(record.offset) !== true) return false;
    this.setAsideOffsets.delete(record.offset);
    this.inFlightBytes -= sizeOf(record);
    this.progress++;
    this.checkHighWater();
    return true;
  }

  /** The handler gave it back: it stays incomplete. @returns whether it was in flight */
  letGo(record: LogRecord): boolean {
    if (this.tracking?.isComplete(record.offset) !== false) return false;
    this.released++;
    return true;
  }

  private checkHighWater(): void {
    const { records, bytes } = this.highWater;
    if (this.inFlight >= records || this.inFlightBytes >= bytes) this.pauses.add('high-water');
    else if (this.inFlight <= records / 2 && this.inFlightBytes <= bytes / 2) this.pauses.delete('high-water');
  }

  stats(gates: Iterable<string>): PartitionStats {
    return {
      topic: this.topic,
      partition: this.partition,
      position: this.next,
      watermark: this.tracking?.watermark ?? 0,
      highWatermark: this.end,
      inFlight: this.inFlight,
      inFlightBytes: this.inFlightBytes,
      oldestTimestamp: this.tracking?.oldestTimestamp,
      paused: [...this.pauses, ...gates],
    };
  }
}
