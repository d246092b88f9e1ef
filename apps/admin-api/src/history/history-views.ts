import { verdictOf } from '@hookline/domain';
import type {
  AnsweredAttempt,
  FoundAttempt,
  RecordedAttempt,
  RecordedDelivery,
  RecordedEvent,
} from '@hookline/persistence';
import type {
  AttemptSummary,
  AttemptView,
  DeliveryView,
  DeliveryWithAttempts,
  EventSummary,
} from './history.schemas.js';

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
  return {
    ...deliverySummary(delivery),
    tenantId: delivery.tenantId,
    event: eventOf(delivery),
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    reason: delivery.reason,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    replayId: delivery.replayId,
  };
}

export function withAttempts(delivery: RecordedDelivery, attempts: readonly AnsweredAttempt[]): DeliveryWithAttempts {
  return {
    ...deliveryView(delivery),
    attempts: attempts.map((attempt) => ({ ...attemptSummary(attempt), responseBody: attempt.responseBody })),
  };
}

export function attemptView({ delivery, attempt }: FoundAttempt): AttemptView {
  return {
    ...attemptSummary(attempt),
    tenantId: delivery.tenantId,
    deliveryId: delivery.id,
    subscriptionId: delivery.subscriptionId,
    event: eventOf(delivery),
  };
}

function attemptSummary(attempt: RecordedAttempt): AttemptSummary {
  return {
    id: attempt.id,
    number: attempt.number,
    startedAt: attempt.startedAt.toISOString(),
    durationMs: attempt.durationMs,
    outcome: verdictOf(attempt.status ?? undefined) === 'delivered' ? 'delivered' : 'failed',
    status: attempt.status,
    error: attempt.error,
    replayId: attempt.replayId,
  };
}

function eventOf({ event: { id, type, partition, offset, at } }: RecordedDelivery): DeliveryView['event'] {
  return { id, type, partition, offset, appendedAt: new Date(at).toISOString() };
}
