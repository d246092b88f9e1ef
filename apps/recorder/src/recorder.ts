import type { DatabaseConfig, RecorderConfig } from '@hookline/config';
import { OffsetRunner } from '@hookline/kafka';
import { createPool, DayPartitions, HistoryWriter } from '@hookline/persistence';
import type { Clock, Logger, Metrics } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import type { Pool } from 'pg';
import { BatchWriter } from './batch-writer.js';
import { DatabaseStatus } from './database-status.js';
import { DayKeeper } from './day-keeper.js';
import { RECORDED_TOPICS, type RecordedTopics } from './entry.js';
import { HistoryStore } from './history-store.js';
import { Positions } from './positions.js';
import { RecorderMetrics } from './recorder-metrics.js';

export const RECORDER_GROUP = 'hookline.recorder';

const STATS_MS = 5_000;

export interface RecorderOptions {
  kafka: Kafka;
  database: DatabaseConfig;
  recorder: RecorderConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** How long a stop waits for what is in flight; ms. */
  drainMs: number;
  groupId?: string;
  topics?: RecordedTopics;
}

/** Reads the events and their outcomes, and writes them into PostgreSQL, once each. */
export class Recorder {
  readonly runner: OffsetRunner;
  readonly status: DatabaseStatus;
  private readonly pool: Pool;
  private readonly store: HistoryStore;
  private readonly keeper: DayKeeper;
  private readonly metrics: RecorderMetrics;
  private readonly clock: Clock;
  private stopped: Promise<void> | undefined;
  private cancelStats: (() => void) | undefined;

  constructor(options: RecorderOptions) {
    const { kafka, database, recorder, clock, logger, metrics, drainMs, topics = RECORDED_TOPICS } = options;
    this.clock = clock;
    this.metrics = new RecorderMetrics(metrics);
    this.status = new DatabaseStatus(logger);
    this.pool = createPool(database, (error) => logger.warn({ err: error }, 'an idle connection to PostgreSQL broke'));
    const days = new DayPartitions();
    const positions = new Positions(this.pool, this.status);
    this.keeper = new DayKeeper(this.pool, days, recorder.historyRetentionMs, clock, logger);
    this.store = new HistoryStore({
      writer: new HistoryWriter(this.pool, days),
      positions,
      status: this.status,
      metrics: this.metrics,
      clock,
      logger,
      topics,
      flushTimeoutMs: recorder.flushTimeoutMs,
      onRewound: (topic, partition) => this.runner.reread(topic, partition),
    });
    const caps = { rows: recorder.batchRows, bytes: recorder.batchBytes, lingerMs: recorder.lingerMs };
    this.runner = new OffsetRunner({
      kafka,
      groupId: options.groupId ?? RECORDER_GROUP,
      topics: [topics.events, topics.attempts],
      handler: new BatchWriter(this.store, caps, clock).handle,
      clock,
      logger,
      positions,
      maxInFlightTotal: recorder.maxBufferedRecords,
      drainMs,
    });
  }

  /** Resolves when the group is joined. PostgreSQL may come later: nothing is read before it is there. */
  async start(): Promise<void> {
    this.keeper.start();
    this.observe();
    await this.runner.start();
  }

  /** Writes what is in flight, and leaves; safe to call twice. */
  stop(): Promise<void> {
    return (this.stopped ??= this.stopOnce());
  }

  /** For the probe: a database that is down is no reason to restart, a runner that stands still without one is. */
  liveness(): string | undefined {
    const { problems } = this.runner.health();
    return problems.length === 0 || this.status.check() !== undefined ? undefined : problems.join('; ');
  }

  private async stopOnce(): Promise<void> {
    this.keeper.stop();
    await this.runner.stop();
    this.store.stop();
    this.cancelStats?.();
    await this.pool.end();
  }

  private observe(): void {
    this.metrics.observe(this.runner.stats());
    this.cancelStats = this.clock.after(STATS_MS, () => this.observe());
  }
}
