import { NotDurable, type Appended, type OutgoingRecord, type Output } from '@hookline/kafka';
import type { Counter, Histogram, Metrics } from '@hookline/platform';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** Counts what becomes of the events, and how long they wait for their copies. */
export class CountedOutput implements Output {
  private readonly durable: Counter;
  private readonly refused: Counter<'reason'>;
  private readonly seconds: Histogram;

  constructor(
    private readonly output: Output,
    metrics: Metrics,
  ) {
    this.durable = metrics.counter('hookline_events_accepted_total', 'Events that every in-sync replica has.');
    this.refused = metrics.counter('hookline_events_not_durable_total', 'Events answered with 503, by reason.', [
      'reason',
    ]);
    this.seconds = metrics.histogram('hookline_publish_seconds', 'From an event to its acknowledgement.', SECONDS);
  }

  async produce(record: OutgoingRecord, deadlineMs?: number): Promise<Appended> {
    const begin = performance.now();
    try {
      const appended = await this.output.produce(record, deadlineMs);
      this.durable.inc();
      this.seconds.observe((performance.now() - begin) / 1_000);
      return appended;
    } catch (error) {
      this.refused.inc({ reason: error instanceof NotDurable ? error.reason : 'unforeseen' });
      throw error;
    }
  }
}
