import { retryDelayOf, type DeliveryEnvelope } from '@hookline/contracts';
import type { OrderedEvent } from '@hookline/domain';
import { epochOf } from '../subscriptions/subscriber.js';

/** @param envelope of an event that has a key */
export function streamOf(envelope: DeliveryEnvelope): OrderedEvent {
  const { subscriptionId, replayId, event, source } = envelope;
  const group = replayId === undefined ? subscriptionId : `${subscriptionId}\0${replayId}`;
  return { group, key: event.key as string, source, epoch: epochOf(envelope) };
}

/** The subscription of a stream's group. */
export function subscriptionOf(group: string): string {
  const end = group.indexOf('\0');
  return end === -1 ? group : group.slice(0, end);
}

/** Whether the owner itself writes to this lane. */
export const isTier = (lane: string): boolean => retryDelayOf(lane) !== undefined;
