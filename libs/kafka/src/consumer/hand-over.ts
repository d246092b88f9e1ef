import type { Clock } from '@hookline/platform';
import type { OwnedPartition } from './owned-partition.js';
import { LetGo, type BatchHandler, type LogRecord } from './record.js';
import type { RunnerObserver } from './runner-observer.js';
import type { RunnerLogger } from './runner-options.js';

/** When everything fails at once, one line in so many milliseconds says it. */
const QUIET_MS = 1_000;

export interface HandOverOptions {
  handler: BatchHandler;
  clock: Clock;
  logger: RunnerLogger;
  observer: RunnerObserver;
  retry: { firstMs: number; mostMs: number };
  /** Called after records completed. */
  completed: (partition: OwnedPartition, records: number) => void;
  /** Called for a record that will not be completed under this assignment. */
  letGo: () => void;
}

/** Gives records to the handler and follows each until it is complete or its assignment is gone. */
export class HandOver {
  private quietUntil = 0;

  constructor(private readonly options: HandOverOptions) {}

  give(partition: OwnedPartition, records: readonly LogRecord[], attempt = 1): void {
    const { handler, observer } = this.options;
    if (attempt === 1) observer.handedOver?.(partition.topic, records.length);
    let promises: readonly Promise<void>[];
    try {
      promises = handler(records);
    } catch (error) {
      for (const record of records) this.failed(partition, record, attempt, error);
      return;
    }
    this.follow(partition, records, promises, attempt);
  }

  private follow(
    partition: OwnedPartition,
    records: readonly LogRecord[],
    promises: readonly Promise<void>[],
    attempt: number,
  ): void {
    for (let from = 0; from < records.length;) {
      const promise = promises[from];
      const record = records[from] as LogRecord;
      let to = from + 1;
      // A handler that completes a batch as a whole gives the same promise for each of it: followed once.
      while (to < records.length && promises[to] === promise) to++;
      if (promise === undefined) {
        const error = new Error(`the handler answered ${promises.length} promises for ${records.length} records`);
        for (const each of records.slice(from, to)) this.failed(partition, each, attempt, error);
      } else if (to === from + 1) {
        // Not holding on to the batch: its slowest record would keep all of it in memory.
        promise.then(
          () => this.done(partition, record),
          (error: unknown) => this.failed(partition, record, attempt, error),
        );
      } else {
        const together = records.slice(from, to);
        promise.then(
          () => this.allDone(partition, together),
          (error: unknown) => together.forEach((each) => this.failed(partition, each, attempt, error)),
        );
      }
      from = to;
    }
  }

  private done(partition: OwnedPartition, record: LogRecord): void {
    if (partition.alive && partition.complete(record)) this.options.completed(partition, 1);
  }

  private allDone(partition: OwnedPartition, records: readonly LogRecord[]): void {
    if (!partition.alive) return;
    let count = 0;
    for (const record of records) if (partition.complete(record)) count++;
    if (count > 0) this.options.completed(partition, count);
  }

  private failed(partition: OwnedPartition, record: LogRecord, attempt: number, error: unknown): void {
    if (!partition.alive) return;
    partition.takeBack(record);
    if (error instanceof LetGo) {
      if (partition.letGo(record)) this.options.letGo();
      return;
    }
    const { clock, logger, observer, retry } = this.options;
    const { topic, offset } = record;
    const delayMs = Math.min(retry.mostMs, retry.firstMs * 2 ** Math.min(attempt - 1, 20));
    const facts = { topic, partition: record.partition, offset, attempt, delayMs };
    observer.rejected?.({ ...facts, error });
    if (clock.now() >= this.quietUntil) {
      this.quietUntil = clock.now() + QUIET_MS;
      logger.warn(
        { ...facts, err: error },
        'records could not be handled and will be tried again; this is one of them',
      );
    }
    const cancel = clock.after(delayMs, () => {
      partition.signal.removeEventListener('abort', cancel);
      this.give(partition, [record], attempt + 1);
    });
    partition.signal.addEventListener('abort', cancel, { once: true });
  }
}
