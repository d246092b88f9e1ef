import type { BatchHandler, LogRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import { Batch } from './batch.js';

export interface BatchWriterOptions {
  rows: number;
  bytes: number;
  lingerMs: number;
}

/** Stores records for good, or waits until it can; it rejects only when it was told to stop. */
export interface Store {
  store(records: readonly LogRecord[]): Promise<void>;
}

/**
 * Gathers what arrives while the last transaction is out, and writes it in the next one. One transaction at a time:
 * the batches grow with the load by themselves. How much waits here is bounded by the runner.
 */
export class BatchWriter {
  private readonly queue: Batch[] = [];
  private writing = false;
  private cancelLinger: (() => void) | undefined;

  constructor(
    private readonly store: Store,
    private readonly options: BatchWriterOptions,
    private readonly clock: Clock,
  ) {}

  /** The promises resolve when the records are committed. */
  readonly handle: BatchHandler = (records) => {
    const promises = records.map((record) => this.add(record));
    this.schedule();
    return promises;
  };

  private add(record: LogRecord): Promise<void> {
    let batch = this.queue.at(-1);
    if (!batch || batch.full) {
      batch = new Batch(this.options);
      this.queue.push(batch);
    }
    batch.add(record);
    return batch.written;
  }

  private schedule(): void {
    const [first] = this.queue;
    if (this.writing || !first) return;
    if (first.full) return this.begin();
    this.cancelLinger ??= this.clock.after(this.options.lingerMs, () => this.begin());
  }

  private begin(): void {
    this.cancelLinger?.();
    this.cancelLinger = undefined;
    const batch = this.queue.shift();
    if (!batch) return;
    this.writing = true;
    this.store.store(batch.records).then(
      () => {
        batch.settle();
        this.writing = false;
        this.schedule();
      },
      // It was told to stop: what is here was not written, and its promises stay open.
      () => undefined,
    );
  }
}
