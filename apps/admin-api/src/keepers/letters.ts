import {
  encodeHeldRangeHeaders,
  encodeOutcome,
  TOPICS,
  type DeadLetterReason,
  type DeliveryState,
  type EventEnvelope,
  type HeldRangeReason,
  type HeldReason,
  type LogPosition,
} from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import type { Output } from '@hookline/kafka';
import { writeAll } from './write-all.js';

/** Offsets of one partition; `to` is exclusive. */
export interface LostRange {
  partition: number;
  from: number;
  to: number;
}

/** A delivery that history knows of, and that will never come. */
export interface LostDelivery {
  position: LogPosition;
  event: Pick<EventEnvelope, 'tenant' | 'id' | 'type'>;
  replayId: string | null;
}

type Letter = Parameters<Output['produce']>[0];

/**
 * One dead letter for all of the range.
 * @param since when it began to wait
 */
export function heldRangeLetter(
  { subscriptionId, tenantId, since }: { subscriptionId: string; tenantId: string; since: Date },
  { partition, from, to }: LostRange,
  reason: HeldRangeReason,
): Letter {
  const range = { tenant: tenantId, subscriptionId, partition, from, to, since: since.toISOString() };
  return {
    topic: TOPICS.deadLetters,
    key: subscriptionId,
    value: null,
    headers: encodeHeldRangeHeaders(range, reason),
  };
}

/** The end of a delivery, for history: its letter is that of a range. */
export function endOf(delivery: LostDelivery, subscriptionId: string, reason: HeldRangeReason): Letter {
  return outcomeOf(delivery, subscriptionId, { state: 'dead-lettered', reason });
}

/** That a delivery is held from now on. */
export function holdOf(delivery: LostDelivery, subscriptionId: string, reason: HeldReason): Letter {
  return outcomeOf(delivery, subscriptionId, { state: 'held', reason });
}

function outcomeOf(
  { event, position, replayId }: LostDelivery,
  subscriptionId: string,
  outcome: { state: DeliveryState; reason: DeadLetterReason | HeldReason },
): Letter {
  const value = encodeOutcome({
    v: 1,
    tenant: event.tenant,
    eventId: event.id,
    type: event.type,
    source: position,
    delivery: {
      id: deliveryIdOf(event, position, subscriptionId),
      subscriptionId,
      ...outcome,
      ...(replayId === null ? {} : { replayId }),
    },
  });
  return { topic: TOPICS.attempts, value };
}

/** Writes the letters and then, once these are durable, the ends: what history says of a delivery must be so. */
export async function buryAll(
  output: Output,
  letters: readonly Letter[],
  ends: readonly Letter[],
  signal: AbortSignal,
): Promise<void> {
  await writeAll(output, letters, signal);
  await writeAll(output, ends, signal);
}
