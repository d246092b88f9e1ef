import type { ConsumerConfig, DatabaseConfig, FailingConfig, RecorderConfig } from '@hookline/config';
import {
  appendTimeOf,
  consumerOptions,
  type BatchHandler,
  type LogTransportGroup,
  type OffsetRunner,
} from '@hookline/kafka';
import { type Queryable, createPool, DayPartitions, HistoryWriter, noteGap } from '@hookline/persistence';
import type { Clock, Logger, Metrics } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import type { Pool } from 'pg';
import { BatchWriter } from './batch-writer.js';
import { DatabaseStatus } from './database-status.js';
import { DayKeeper, keptOf } from './day-keeper.js';
import { RECORDED_TOPICS, type RecordedTopics } from './entry.js';
import { HistoryStore } from './history-store.js';
import { Positions } from './positions.js';
import { RecorderMetrics } from './recorder-metrics.js';

export const RECORDER_GROUP = 'hookline.recorder';

const LOOK_MS = 5_000;

export interface RecorderOptions {
  kafka: Kafka;
  database: DatabaseConfig;
  recorder: RecorderConfig;
  /** When a subscription counts as failing. */
  failing: Pick<FailingConfig, 'gapMs' | 'disableAfterMs'>;
  /** How the log is read, where the recorder has no way of its own; the runner's defaults if absent. */
  consumer?: ConsumerConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** How long a stop waits for what is in flight; ms. */
  drainMs: number;
  groupId?: string;
  topics?: RecordedTopics;
}

/** Writes the events and their outcomes into PostgreSQL, once each; someone else runs the group that brings them. */
export class Recorder {
  /** What the runner must be made with, besides {@link handle}. */
  readonly group: LogTransportGroup;
  readonly handle: BatchHandler;
  readonly status: DatabaseStatus;
  private readonly pool: Pool;
  private readonly store: HistoryStore;
  private readonly keeper: DayKeeper;
  private readonly metrics: RecorderMetrics;
  private readonly clock: Clock;
  private runner: OffsetRunner | undefined;
  private cancelLook: (() => void) | undefined;
  private stopped: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    const { kafka, database, recorder, failing, clock, logger, metrics, drainMs, topics = RECORDED_TOPICS } = options;
    this.clock = clock;
    this.metrics = new RecorderMetrics(metrics);
    this.status = new DatabaseStatus(logger);
    this.pool = createPool(database, (error) => logger.warn({ err: error }, 'an idle connection to PostgreSQL broke'));
    const days = new DayPartitions();
    const positions = new Positions(this.pool, this.status);
    this.keeper = new DayKeeper(this.pool, days, keptOf(recorder.historyRetentionMs, failing), clock, logger);
    this.store = new HistoryStore({
      writer: new HistoryWriter(this.pool, days, failing.gapMs),
      positions,
      status: this.status,
      metrics: this.metrics,
      clock,
      logger,
      topics,
      flushTimeoutMs: recorder.flushTimeoutMs,
      onRewound: (topic, partition) => this.runner?.reread(topic, partition),
    });
    const caps = { rows: recorder.batchRows, bytes: recorder.batchBytes, lingerMs: recorder.lingerMs };
    this.handle = new BatchWriter(this.store, caps, clock).handle;
    this.group = {
      ...(options.consumer && consumerOptions(options.consumer)),
      kafka,
      groupId: options.groupId ?? RECORDER_GROUP,
      topics: [topics.events, topics.attempts],
      clock,
      logger,
      positions,
      onAgedOut: async (gap, { low, high }) => {
        const until = low < high ? await appendTimeOf(kafka, gap.topic, gap.partition, low) : undefined;
        const rows = async (sql: string, values?: unknown[]): Promise<unknown> =>
          (await this.pool.query(sql, values)).rows;
        await noteGap({ query: rows as Queryable['query'] }, gap, topics.events, until);
        return gap;
      },
      minBytes: recorder.fetchBytes,
      maxWaitMs: recorder.fetchWaitMs,
      commitIntervalMs: recorder.commitIntervalMs,
      maxInFlightTotal: recorder.maxBufferedRecords,
      drainMs,
      observer: this.metrics.runnerObserver,
    };
  }

  /** @param runner the one that was made with {@link group} */
  start(runner: OffsetRunner): void {
    this.runner = runner;
    this.keeper.start();
    this.look();
  }

  /** Writes what is in flight, and leaves the group; safe to call twice. */
  stop(): Promise<void> {
    return (this.stopped ??= this.stopOnce());
  }

  /** For the probe: a database that is down is no reason to restart, a runner that stands still without one is. */
  liveness(): string | undefined {
    const problems = this.runner?.health().problems ?? [];
    return problems.length === 0 || this.status.check() !== undefined ? undefined : problems.join('; ');
  }

  /** For the probe: in the group, or not. */
  membership(): string | undefined {
    return this.runner?.leaseValid() ? undefined : 'not in the consumer group yet, or not any more';
  }

  private async stopOnce(): Promise<void> {
    this.keeper.stop();
    await this.runner?.stop();
    this.store.stop();
    this.cancelLook?.();
    await this.pool.end();
  }

  private look(): void {
    if (this.runner) this.metrics.observe(this.runner.stats());
    // Without traffic nobody else would notice, and readiness would tell of old times.
    this.pool.query('SELECT 1').then(
      () => this.status.asked(),
      (error: unknown) => this.status.asked(error),
    );
    this.cancelLook = this.clock.after(LOOK_MS, () => this.look());
  }
}
