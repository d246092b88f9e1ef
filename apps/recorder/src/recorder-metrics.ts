import type { RunnerObserver, RunnerStats } from '@hookline/kafka';
import type { WrittenRows } from '@hookline/persistence';
import type { Counter, Gauge, Histogram, Metrics } from '@hookline/platform';

const ROW_BUCKETS = [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000];
const SECOND_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** What the recorder counts. */
export class RecorderMetrics {
  private readonly rows: Counter<'table'>;
  private readonly skippedRecords: Counter<'topic'>;
  private readonly failures: Counter;
  private readonly conflicts: Counter;
  private readonly flushRows: Histogram;
  private readonly flushSeconds: Histogram;
  private readonly lag: Gauge<'topic' | 'partition'>;
  private readonly agedOut: Counter<'topic'>;
  /** Counts what the runner reports. */
  readonly runnerObserver: RunnerObserver = {
    agedOut: ({ topic, from, to }) => this.agedOut.inc({ topic }, to - from),
  };

  constructor(metrics: Metrics) {
    this.rows = metrics.counter('hookline_recorder_rows_total', 'Rows written or merged.', ['table']);
    this.skippedRecords = metrics.counter('hookline_recorder_skipped_total', 'Records that cannot be recorded.', [
      'topic',
    ]);
    this.failures = metrics.counter('hookline_recorder_failures_total', 'Transactions that failed and are repeated.');
    this.conflicts = metrics.counter('hookline_recorder_conflicts_total', 'Transactions that met other offsets.');
    this.flushRows = metrics.histogram('hookline_recorder_flush_records', 'Records in a transaction.', ROW_BUCKETS);
    this.flushSeconds = metrics.histogram('hookline_recorder_flush_seconds', 'Time of a transaction.', SECOND_BUCKETS);
    this.agedOut = metrics.counter(
      'hookline_aged_out_records_total',
      'Records that the log let go of before they were read.',
      ['topic'],
    );
    this.lag = metrics.gauge('hookline_recorder_lag_records', 'Records in the log that are not recorded yet.', {
      labelNames: ['topic', 'partition'],
    });
  }

  flushed(rows: WrittenRows, records: number, ms: number): void {
    for (const [table, count] of Object.entries(rows)) this.rows.inc({ table }, count);
    this.flushRows.observe(records);
    this.flushSeconds.observe(ms / 1_000);
  }

  failed(): void {
    this.failures.inc();
  }

  conflicted(): void {
    this.conflicts.inc();
  }

  skipped(topic: string): void {
    this.skippedRecords.inc({ topic });
  }

  /** What this member owns now; what it no longer owns is another's to tell. */
  observe({ partitions }: RunnerStats): void {
    this.lag.reset();
    for (const { topic, partition, watermark, highWatermark } of partitions)
      this.lag.set({ topic, partition: String(partition) }, Math.max(0, highWatermark - watermark));
  }
}
