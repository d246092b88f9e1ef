import type { AttemptOutcome, LogPosition, OutcomeRecord } from '@hookline/contracts';
import { deliveryUuid } from '../history/delivery-uuid.js';
import type { CopyTable } from './copy.js';

/** A record of `hookline.attempts`. The delivery's id is known to be one. */
export interface OutcomeToRecord {
  position: LogPosition;
  outcome: OutcomeRecord;
}

interface AttemptRow {
  position: LogPosition;
  outcome: OutcomeRecord;
  delivery: NonNullable<OutcomeRecord['delivery']>;
  attempt: AttemptOutcome;
}

/** The outcomes that tell of an attempt. */
export function attemptRows(outcomes: readonly OutcomeToRecord[]): AttemptRow[] {
  const rows: AttemptRow[] = [];
  for (const { position, outcome } of outcomes) {
    const { delivery } = outcome;
    if (delivery?.attempt) rows.push({ position, outcome, delivery, attempt: delivery.attempt });
  }
  return rows;
}

export const ATTEMPTS: CopyTable<AttemptRow> = {
  name: 'attempts',
  columns: [
    'delivery_id',
    'partition',
    '"offset"',
    'appended_at',
    'tenant_id',
    'subscription_id',
    'event_partition',
    'event_offset',
    'attempt_id',
    'number',
    'started_at',
    'duration_ms',
    'status',
    'error',
    'response_body',
    'replay_id',
    'subscription_version',
    'response_headers',
  ],
  encode: (buffer, { position, outcome, delivery, attempt }) =>
    buffer
      .uuid(deliveryUuid(delivery.id) as string)
      .int4(position.partition)
      .int8(position.offset)
      .timestamp(position.at)
      .text(outcome.tenant)
      .text(delivery.subscriptionId)
      .int4(outcome.source.partition)
      .int8(outcome.source.offset)
      .text(attempt.id)
      .int4(attempt.number)
      .timestamp(Math.round(attempt.at))
      .int4(Math.round(attempt.durationMs))
      .int4(attempt.status)
      .text(attempt.error)
      .text(attempt.responseBody)
      .text(delivery.replayId)
      .int4(attempt.version)
      .text(attempt.responseHeaders && JSON.stringify(attempt.responseHeaders)),
};
