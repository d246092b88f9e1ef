import { UnreadableRecord } from '@hookline/contracts';
import type { LogRecord } from '@hookline/kafka';
import { isRefusal, offsetKey, OffsetsMoved, type HistoryWriter } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Store } from './batch-writer.js';
import type { DatabaseStatus } from './database-status.js';
import { readEntry, toHistoryBatch, type Entry, type RecordedTopics } from './entry.js';
import type { Positions } from './positions.js';
import type { RecorderMetrics } from './recorder-metrics.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface HistoryStoreParts {
  writer: HistoryWriter;
  positions: Positions;
  status: DatabaseStatus;
  metrics: RecorderMetrics;
  clock: Clock;
  logger: Logger;
  topics: RecordedTopics;
  flushTimeoutMs: number;
  /** The database knows less of this partition than it did: it was restored, or crashed. That must be read again. */
  onRewound: (topic: string, partition: number) => void;
}

/** Writes records into PostgreSQL, once each, for as long as it takes. */
export class HistoryStore implements Store {
  private readonly stopping = new AbortController();

  constructor(private readonly parts: HistoryStoreParts) {}

  /** @throws when it was stopped */
  async store(records: readonly LogRecord[]): Promise<void> {
    await this.persist(records.map((record) => this.read(record)));
  }

  /** Cuts what is being written; what was not committed is not acknowledged either. */
  stop(): void {
    this.stopping.abort(new Error('the recorder has stopped'));
  }

  private read(record: LogRecord): Entry {
    try {
      return readEntry(record, this.parts.topics);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      this.skip(record, error);
      return { record };
    }
  }

  private async persist(entries: readonly Entry[]): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let rest = this.unwritten(entries); rest.length > 0; rest = this.unwritten(rest)) {
      try {
        await this.write(rest);
        return;
      } catch (error) {
        this.stopping.signal.throwIfAborted();
        if (error instanceof OffsetsMoved) this.adopt(rest, error.actual);
        else if (isRefusal(error) && holdsRows(rest)) return await this.isolate(rest, error);
        else {
          this.parts.status.fails(error);
          this.parts.metrics.failed();
          await this.pause(pauseMs);
          pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        }
      }
    }
  }

  /** What is neither stored already nor someone else's by now. */
  private unwritten(entries: readonly Entry[]): Entry[] {
    return entries.filter(({ record }) => {
      const position = this.parts.positions.get(record);
      return position !== undefined && record.offset >= position && !record.assignment.signal.aborted;
    });
  }

  private async write(entries: readonly Entry[]): Promise<void> {
    const { writer, positions, status, metrics, clock, flushTimeoutMs } = this.parts;
    const batch = toHistoryBatch(entries, (record) => positions.get(record) as number);
    const timeout = new AbortController();
    const cancel = clock.after(flushTimeoutMs, () => timeout.abort(new Error('PostgreSQL took too long')));
    const began = clock.now();
    try {
      const rows = await writer.write(batch, AbortSignal.any([timeout.signal, this.stopping.signal]));
      for (const move of batch.moves) positions.set(move, move.next);
      status.works();
      metrics.flushed(rows, entries.length, clock.now() - began);
    } finally {
      cancel();
    }
  }

  /** Takes over what the database says. Ahead of us: another recorder, or a commit whose answer was lost. */
  private adopt(entries: readonly Entry[], actual: ReadonlyMap<string, number>): void {
    const { positions, metrics, logger, onRewound } = this.parts;
    metrics.conflicted();
    for (const { record } of entries) {
      const { topic, partition } = record;
      const expected = positions.get(record);
      const stored = actual.get(offsetKey(record)) ?? 0;
      if (expected === undefined || stored === expected) continue;
      if (stored > expected) positions.set(record, stored);
      else {
        positions.giveUp(record);
        logger.error({ topic, partition, expected, stored }, 'the database lost what it had; it is read again');
        onRewound(topic, partition);
      }
    }
  }

  /** One of them is one that PostgreSQL will never take: halves it until that one is alone, and skips it. */
  private async isolate(entries: readonly Entry[], error: Error): Promise<void> {
    if (entries.length > 1) {
      const middle = entries.length >> 1;
      await this.persist(entries.slice(0, middle));
      await this.persist(entries.slice(middle));
      return;
    }
    const { record } = entries[0] as Entry;
    this.skip(record, error);
    await this.persist([{ record }]);
  }

  private skip({ topic, partition, offset }: LogRecord, error: Error): void {
    this.parts.metrics.skipped(topic);
    // The message names a field or a limit; PostgreSQL's details, with values in them, stay out.
    this.parts.logger.error({ topic, partition, offset, reason: error.message }, 'a record that cannot be recorded');
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      const cancel = this.parts.clock.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }
}

function holdsRows(entries: readonly Entry[]): boolean {
  return entries.some(({ event, outcome }) => event !== undefined || outcome !== undefined);
}
