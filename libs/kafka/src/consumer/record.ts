import type { RecordParts } from '@hookline/domain';

/**
 * One partition as long as this member owns it without a gap: it lives on over generations in which the partition
 * stayed here, and dies when it is revoked or when a generation was missed. Whatever is done for a record looks at
 * the signal before it acts on the outside.
 */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  /** Aborted when the partition is taken away or the runner has stopped. */
  readonly signal: AbortSignal;
  /**
   * For a record that is several pieces of work: which of them are open, and where to say that one is complete. That is
   * committed with the offsets, so that the next owner repeats only what is open. Asked again for the same record, the
   * same are answered.
   * @param parts all of them, by names that are the same whoever does the work; more than a thousand or so would fill
   * the commit's metadata, and pause the partition
   */
  partsOf(offset: number, parts: readonly string[]): RecordParts;
  /**
   * For a record in flight that is held by nothing but what its handler bounds by itself: it no longer counts against
   * `maxInFlightTotal`, until it is complete or rejected. It counts in its partition as before, and a stop waits for it.
   * Said twice, it is the same.
   */
  setAside(offset: number): void;
}

/** A record as a handler sees it. */
export interface LogRecord {
  readonly assignment: Assignment;
  readonly topic: string;
  readonly partition: number;
  /** Exact up to 2^53. */
  readonly offset: number;
  /** The broker's append time, ms since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /**
   * Completed before this member got the partition (below the watermark, or complete above it). Seen only where the
   * runner was asked to look back; it is for indexes that are rebuilt from the log, never to be acted on again.
   */
  readonly done: boolean;
}

/**
 * Takes records in log order for each partition and answers, for each, with a promise that resolves when its outcome
 * is durable. It returns at once: the work goes on behind the promises. A promise that rejects is tried again
 * after a pause, with that record alone; the partition's committed offset waits for it.
 */
export type BatchHandler = (records: readonly LogRecord[]) => readonly Promise<void>[];

/**
 * A handler rejects with it what it holds on purpose (until it is due) when it must let go of it: on a stop, which does
 * not wait for it then. The record stays incomplete, and is not tried again under this assignment.
 */
export class LetGo extends Error {
  override name = 'LetGo';
}
