import type { OutcomeRecord } from '@hookline/contracts';
import { deliveryUuid } from '../history/delivery-uuid.js';
import type { OutcomeToRecord } from './attempt-rows.js';

/** What one or several outcomes say of a delivery. */
export interface MergedDelivery {
  uuid: string;
  outcome: OutcomeRecord;
  delivery: NonNullable<OutcomeRecord['delivery']>;
  /** The number of the last attempt among them. */
  attempts: number;
  /** The event matched this subscription and no other. */
  soleMatch: boolean;
  /** Of the outcome that counts: its append time and its offset. */
  at: number;
  offset: number;
}

/**
 * Delivered absorbs; that it was handed over to its lane comes before all else, wherever the log has it, for the owner of
 * the lane may be quicker than whoever tells of the hand-over; else the later outcome counts, by its append time and then
 * its offset. The same rule is in PostgreSQL's upsert, so that it does not matter how outcomes are spread over batches,
 * nor in which order they come.
 */
export function outranks(a: MergedDelivery, b: MergedDelivery): boolean {
  const delivered = Number(a.delivery.state === 'delivered') - Number(b.delivery.state === 'delivered');
  const handedOver = Number(b.delivery.state === 'pending') - Number(a.delivery.state === 'pending');
  return (delivered || handedOver || a.at - b.at || a.offset - b.offset) > 0;
}

/** One row for each delivery, by id: two recorders that meet in the same rows lock them in the same order. */
export function mergeDeliveries(outcomes: readonly OutcomeToRecord[]): MergedDelivery[] {
  return merge(outcomes, ({ uuid }) => uuid);
}

/** One row for each delivery within each replay, by replay and id. */
export function mergeReplayDeliveries(outcomes: readonly OutcomeToRecord[]): MergedDelivery[] {
  const replayed = outcomes.filter(({ outcome }) => outcome.delivery?.replayId !== undefined);
  return merge(replayed, ({ uuid, delivery }) => `${delivery.replayId} ${uuid}`);
}

function merge(outcomes: readonly OutcomeToRecord[], keyOf: (row: MergedDelivery) => string): MergedDelivery[] {
  const merged = new Map<string, MergedDelivery>();
  for (const { position, outcome } of outcomes) {
    const { delivery } = outcome;
    if (!delivery) continue;
    const row: MergedDelivery = {
      uuid: deliveryUuid(delivery.id) as string,
      outcome,
      delivery,
      attempts: delivery.attempt?.number ?? 0,
      soleMatch: isSoleMatch(outcome),
      at: position.at,
      offset: position.offset,
    };
    const key = keyOf(row);
    const before = merged.get(key);
    merged.set(key, before ? combine(before, row) : row);
  }
  return [...merged.keys()].sort().map((key) => merged.get(key) as MergedDelivery);
}

function combine(a: MergedDelivery, b: MergedDelivery): MergedDelivery {
  const winner = outranks(b, a) ? b : a;
  return { ...winner, attempts: Math.max(a.attempts, b.attempts), soleMatch: a.soleMatch || b.soleMatch };
}

/** The event matched just the subscription that this outcome is about: the delivery's own row can say so. */
export function isSoleMatch({ matched, delivery }: OutcomeRecord): boolean {
  return matched?.length === 1 && matched[0] === delivery?.subscriptionId;
}
