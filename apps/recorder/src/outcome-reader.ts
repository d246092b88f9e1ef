import { decodeOutcome, UnreadableRecord, type OutcomeRecord } from '@hookline/contracts';
import { deliveryUuid } from '@hookline/persistence';

const MAX_INT4 = 2_147_483_647;
/** The end of the year 9999; PostgreSQL takes more, but nothing after it is a time that was meant. */
const MAX_TIME = 253_402_300_799_999;
const STATES: readonly unknown[] = ['pending', 'delivered', 'retrying', 'dead-lettered', 'held'];
const BACKLOGS: readonly unknown[] = ['full', 'low'];

/**
 * An outcome whose every value fits its column.
 * @throws UnreadableRecord naming the field that doesn't
 */
export function readOutcome(value: Buffer | null): OutcomeRecord {
  const outcome = decodeOutcome(value);
  text(outcome.eventId, 'eventId');
  text(outcome.type, 'type');
  whole(outcome.source.partition, 'source.partition', MAX_INT4);
  whole(outcome.source.offset, 'source.offset');
  whole(outcome.source.at, 'source.at', MAX_TIME);
  optional(outcome.duplicateOf, (offset) => whole(offset, 'duplicateOf'));
  optional(outcome.matched, matched);
  optional(outcome.delivery, delivery);
  optional(outcome.gone, (gone) => {
    text(gone.subscriptionId, 'gone.subscriptionId');
    whole(gone.version, 'gone.version', MAX_INT4);
  });
  optional(outcome.backlog, (backlog) => {
    text(backlog.subscriptionId, 'backlog.subscriptionId');
    whole(backlog.version, 'backlog.version', MAX_INT4);
    if (!BACKLOGS.includes(backlog.is)) throw new UnreadableRecord('backlog.is is unknown');
  });
  return outcome;
}

function matched(ids: unknown): void {
  if (!Array.isArray(ids)) throw new UnreadableRecord('matched is not a list');
  for (const id of ids) {
    text(id, 'matched');
    // It travels as JSON, where PostgreSQL refuses a NUL.
    if ((id as string).includes('\0')) throw new UnreadableRecord('matched holds a NUL');
  }
}

function delivery(value: NonNullable<OutcomeRecord['delivery']>): void {
  text(value.id, 'delivery.id');
  if (deliveryUuid(value.id) === undefined) throw new UnreadableRecord("delivery.id is no delivery's id");
  text(value.subscriptionId, 'delivery.subscriptionId');
  if (!STATES.includes(value.state)) throw new UnreadableRecord('delivery.state is unknown');
  optional(value.nextAttemptAt, (at) => whole(at, 'delivery.nextAttemptAt', MAX_TIME));
  optional(value.reason, (reason) => text(reason, 'delivery.reason'));
  optional(value.replayId, (id) => text(id, 'delivery.replayId'));
  optional(value.attempt, (attempt) => {
    text(attempt.id, 'attempt.id');
    whole(attempt.number, 'attempt.number', MAX_INT4);
    number(attempt.at, 'attempt.at', MAX_TIME);
    number(attempt.durationMs, 'attempt.durationMs', MAX_INT4);
    optional(attempt.status, (status) => whole(status, 'attempt.status', MAX_INT4));
    optional(attempt.version, (version) => whole(version, 'attempt.version', MAX_INT4));
    optional(attempt.error, (error) => text(error, 'attempt.error'));
    optional(attempt.responseBody, (body) => text(body, 'attempt.responseBody'));
    optional(attempt.responseHeaders, responseHeaders);
  });
}

function responseHeaders(parts: unknown): void {
  if (!Array.isArray(parts) || parts.length % 2 !== 0)
    throw new UnreadableRecord('attempt.responseHeaders is not a list of names and values');
  for (const part of parts) text(part, 'attempt.responseHeaders');
}

function optional<T>(value: T | undefined, check: (value: T) => void): void {
  if (value === null) throw new UnreadableRecord('null stands where something may be left out');
  if (value !== undefined) check(value);
}

function text(value: unknown, field: string): void {
  if (typeof value !== 'string') throw new UnreadableRecord(`${field} is not a text`);
}

function number(value: unknown, field: string, max: number): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= max))
    throw new UnreadableRecord(`${field} is not a number from 0 to ${max}`);
}

function whole(value: unknown, field: string, max = Number.MAX_SAFE_INTEGER): void {
  number(value, field, max);
  if (!Number.isInteger(value)) throw new UnreadableRecord(`${field} is not a whole number`);
}
