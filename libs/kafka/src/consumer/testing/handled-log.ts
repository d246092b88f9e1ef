import { waitUntil } from '@hookline/testing';
import type { LogRecord } from '../record.js';

interface Handled {
  readonly id: string;
  readonly record: LogRecord;
  settled: boolean;
  readonly settle: (error?: Error) => void;
}

/** A handler that remembers what it was given, and completes it at once or when the test says so. */
export class HandledLog {
  readonly all: Handled[] = [];
  /** Which records stay in flight until they are released. */
  hold: (record: LogRecord) => boolean = () => false;

  handle(records: readonly LogRecord[]): Promise<void>[] {
    return records.map((record) => {
      let resolve!: () => void;
      let reject!: (error: Error) => void;
      const promise = new Promise<void>((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
      });
      const handled: Handled = {
        id: record.value?.toString() ?? '',
        record,
        settled: false,
        settle: (error) => {
          handled.settled = true;
          if (error) reject(error);
          else resolve();
        },
      };
      this.all.push(handled);
      if (!this.hold(record)) handled.settle();
      return promise;
    });
  }

  ids(): string[] {
    return this.all.map(({ id }) => id);
  }

  held(): Handled[] {
    return this.all.filter(({ settled }) => !settled);
  }

  /** Completes what is held; nothing is held any more. */
  release(which: (record: LogRecord) => boolean = () => true): void {
    for (const handled of this.held()) if (which(handled.record)) handled.settle();
  }

  /** Waits until each of the ids was handed over here. */
  has(ids: readonly string[], deadlineMs = 75_000): Promise<unknown> {
    return waitUntil(
      () => {
        const seen = new Set(this.ids());
        return ids.every((id) => seen.has(id));
      },
      {
        deadlineMs,
        what: `${ids.length} records to be handed over`,
        seen: () => `${ids.filter((id) => this.ids().includes(id)).length} of them, in ${this.all.length}`,
      },
    );
  }
}
