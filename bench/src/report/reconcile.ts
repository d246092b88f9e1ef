import type { Sent } from '../load/publishers.js';
import type { ReceiverReport } from '../receiver/receiver.js';

export interface Reconciled {
  /** Acknowledged, and never received. */
  lost: number;
  /** Webhooks beyond the first of each event. */
  repeated: number;
  /** Received, but not among those that were acknowledged. */
  unexpected: number;
}

type Identified = Pick<Sent, 'id'>;

/** Compares by id what was acknowledged with what the receiver has: sums would hide swaps. */
export function reconcile(sent: readonly Identified[], { events }: Pick<ReceiverReport, 'events'>): Reconciled {
  const acknowledged = new Set(sent.map(({ id }) => id));
  const received = new Set(events.map(([id]) => id));
  return {
    lost: [...acknowledged].filter((id) => !received.has(id)).length,
    repeated: events.reduce((sum, [, , times]) => sum + times - 1, 0),
    unexpected: [...received].filter((id) => !acknowledged.has(id)).length,
  };
}

/** What is wrong where nobody stopped or died, and so nothing may come twice. @param what e.g. `of run 2` */
export function faultsOf(what: string, { lost, repeated }: Reconciled): string[] {
  return [
    ...(lost > 0 ? [`${lost} events ${what} were acknowledged and never received`] : []),
    ...(repeated > 0 ? [`${repeated} webhooks ${what} came again`] : []),
  ];
}
