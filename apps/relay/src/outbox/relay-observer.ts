import type { Metrics } from '@hookline/platform';

/** Who wants to know what a relay does. */
export interface RelayObserver {
  /** How many shards it drains now. */
  owns(shards: number): void;
  relayed(rows: number): void;
  refused(rows: number): void;
  interrupted(): void;
}

export function relayMetrics(metrics: Metrics): RelayObserver {
  const shards = metrics.gauge('hookline_relay_shards', 'Shards of the outbox, of 32, that this process drains.');
  const relayed = metrics.counter('hookline_relay_events_total', 'Events brought from the outbox into the log.');
  const refused = metrics.counter('hookline_relay_refused_total', 'Rows of the outbox that were set aside.');
  const interrupted = metrics.counter('hookline_relay_interruptions_total', 'Times that a relay had to begin again.');
  return {
    owns: (count) => shards.set(count),
    relayed: (rows) => relayed.inc(rows),
    refused: (rows) => refused.inc(rows),
    interrupted: () => interrupted.inc(),
  };
}
