import type { Metrics } from '@hookline/platform';

/** Who wants to know what the publisher does. */
export interface OutboxObserver {
  writing(isWriter: boolean): void;
  /** Rows that wait, as far as one batch reaches. */
  pending(rows: number): void;
  published(rows: number): void;
  healed(rows: number): void;
}

export function outboxMetrics(metrics: Metrics): OutboxObserver {
  const writer = metrics.gauge('hookline_outbox_writer', 'Whether this process publishes the outbox: 1 or 0.');
  const pending = metrics.gauge('hookline_outbox_pending', 'Changes that wait to be published, up to one batch.');
  const published = metrics.counter('hookline_outbox_published_total', 'Changes that were published.');
  const healed = metrics.counter(
    'hookline_outbox_healed_total',
    'Records of compacted topics that were missing or too old, and written again.',
  );
  return {
    writing: (isWriter) => writer.set(isWriter ? 1 : 0),
    pending: (rows) => pending.set(rows),
    published: (rows) => published.inc(rows),
    healed: (rows) => healed.inc(rows),
  };
}
