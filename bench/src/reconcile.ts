import type { Sent } from './publishers.js';
import type { ReceiverReport } from './receiver.js';

export interface Reconciled {
  /** Acknowledged, and never received. */
  lost: number;
  /** Webhooks beyond the first of each event. */
  repeated: number;
  /** Received, but not among those that were acknowledged. */
  unexpected: number;
}

/** Compares by id what was acknowledged with what the receiver has: sums would hide swaps. */
export function reconcile(sent: readonly Sent[], { events }: ReceiverReport): Reconciled {
  const acknowledged = new Set(sent.map(({ id }) => id));
  const received = new Set(events.map(([id]) => id));
  return {
    lost: [...acknowledged].filter((id) => !received.has(id)).length,
    repeated: events.reduce((sum, [, , times]) => sum + times - 1, 0),
    unexpected: [...received].filter((id) => !acknowledged.has(id)).length,
  };
}

/** The value that `share` per cent are at or below, with two decimals; 0 where there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const index = Math.max(0, Math.ceil((sorted.length * share) / 100) - 1);
  return Math.round((sorted[index] ?? 0) * 100) / 100;
}
