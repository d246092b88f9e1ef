import type { Sent } from '../load/publishers.js';
import type { ReceiverReport } from '../receiver/receiver.js';

export interface Latency {
  events: number;
  /** From before the request to the webhook's arrival, ms. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** How long each event took from before its publish to its arrival, ms; those that did not come are left out. */
export function waysOf(sent: readonly Sent[], { events }: ReceiverReport): number[] {
  const came = new Map(events.map(([id, at]) => [id, at]));
  return sent.flatMap(({ id, begin }) => {
    const at = came.get(id);
    return at === undefined ? [] : [at - begin];
  });
}

export function latencyOf(ways: readonly number[]): Latency {
  return {
    events: ways.length,
    p50Ms: percentile(ways, 50),
    p99Ms: percentile(ways, 99),
    maxMs: percentile(ways, 100),
  };
}

/** The value that `share` per cent are at or below, with two decimals; 0 where there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const index = Math.max(0, Math.ceil((sorted.length * share) / 100) - 1);
  return Math.round((sorted[index] ?? 0) * 100) / 100;
}
