import type { RecordedAttempt, RecordedDelivery, RecordedEvent } from '@hookline/persistence';
import type { DeliveryView, DeliveryWithAttempts, EventSummary } from './history.schemas.js';

export function eventSummary(event: RecordedEvent): EventSummary {
  const { routing } = event;
  return {
    id: event.id,
    tenantId: event.tenantId,
    partition: event.partition,
    offset: event.offset,
    appendedAt: new Date(event.at).toISOString(),
    type: event.type,
    time: event.time,
    key: event.key,
    size: event.size,
    expungedAt: event.expungedAt?.toISOString() ?? null,
    routing: routing.state,
    matched: routing.state === 'routed' ? routing.matched : null,
    duplicateOf: routing.state === 'routed' ? routing.duplicateOf : null,
  };
}

export function deliverySummary(
  delivery: RecordedDelivery,
): Pick<DeliveryView, 'id' | 'subscriptionId' | 'state' | 'attemptCount' | 'updatedAt'> {
  return {
    id: delivery.id,
    subscriptionId: delivery.subscriptionId,
    state: delivery.state,
    attemptCount: delivery.attempts,
    updatedAt: delivery.updatedAt.toISOString(),
  };
}

export function deliveryView(delivery: RecordedDelivery): DeliveryView {
  const { id, type, partition, offset, at } = delivery.event;
  return {
    ...deliverySummary(delivery),
    tenantId: delivery.tenantId,
    event: { id, type, partition, offset, appendedAt: new Date(at).toISOString() },
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    reason: delivery.reason,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    replayId: delivery.replayId,
  };
}

export function withAttempts(delivery: RecordedDelivery, attempts: readonly RecordedAttempt[]): DeliveryWithAttempts {
  return {
    ...deliveryView(delivery),
    attempts: attempts.map((attempt) => ({ ...attempt, startedAt: attempt.startedAt.toISOString() })),
  };
}
