import type { Counter, Histogram, Metrics } from '@hookline/platform';
import type { PumpObserver } from './pump-observer.js';

const SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** What the pump does, as metrics. */
export class PumpMetrics implements PumpObserver {
  private readonly size: Histogram;
  private readonly seconds: Histogram;
  private readonly bytes: Counter;
  private readonly failures: Counter<'fault'>;
  private readonly missing: Counter;
  private readonly replaced: Counter;

  constructor(metrics: Metrics) {
    this.size = metrics.histogram('hookline_flush_records', 'Records in one send to a broker.', SIZES);
    this.seconds = metrics.histogram(
      'hookline_flush_seconds',
      'From a send until every in-sync replica has it.',
      SECONDS,
    );
    this.bytes = metrics.counter('hookline_flush_bytes_total', 'Bytes sent to Kafka and acknowledged.');
    this.failures = metrics.counter('hookline_flush_failures_total', 'Sends that failed, and are repeated.', ['fault']);
    this.missing = metrics.counter(
      'hookline_flush_unacknowledged_partitions_total',
      'Partitions that an answer to a send left out; they are sent again.',
    );
    this.replaced = metrics.counter(
      'hookline_producers_replaced_total',
      'Producers that lost their sequence: from there a repeat is possible.',
    );
  }

  flushed({ records, bytes, durationMs }: { records: number; bytes: number; durationMs: number }): void {
    this.size.observe(records);
    this.seconds.observe(durationMs / 1_000);
    this.bytes.inc(bytes);
  }

  failed(fault: string): void {
    this.failures.inc({ fault });
  }

  unacknowledged(partitions: number): void {
    this.missing.inc(partitions);
  }

  producerReplaced(): void {
    this.replaced.inc();
  }
}
