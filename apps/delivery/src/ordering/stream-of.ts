import { retryDelayOf, type DeliveryEnvelope } from '@hookline/contracts';
import type { OrderedEvent } from '@hookline/domain';

/** @param envelope of an event that has a key */
export function streamOf({ subscriptionId, replayId, event, source }: DeliveryEnvelope): OrderedEvent {
  const group = replayId === undefined ? subscriptionId : `${subscriptionId}\0${replayId}`;
  return { group, key: event.key as string, source };
}

/** Whether the owner itself writes to this lane. */
export const isTier = (lane: string): boolean => retryDelayOf(lane) !== undefined;
