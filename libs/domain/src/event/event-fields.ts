import type { FieldError } from '@hookline/contracts';
import { isEventType } from '../type-pattern.js';
import { isTime } from './event-time.js';

type Report = (field: string, message: string, limit?: number) => void;

const FIELDS = new Set(['id', 'type', 'time', 'key', 'data']);

// Controls break headers, logs and columns; half of a surrogate pair has no bytes of its own, so that two ids would
// become one.
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** Characters of each at most, as JavaScript counts them; they are settings. */
export interface EventLimits {
  maxIdLength: number;
  maxTypeLength: number;
  maxKeyLength: number;
}

/** What an event says of itself, besides its data. */
export interface EventFields {
  id?: string;
  type: string;
  time?: string;
  key?: string;
}

/**
 * Checks everything but the size of the data. By hand, and at once for all fields: this is on every event's way.
 * @param prefix where the event stands in the request, e.g. `events[3].`
 * @returns undefined if something is wrong; `errors` says what
 */
export function checkFields(
  value: unknown,
  prefix: string,
  limits: EventLimits,
  errors: FieldError[],
): EventFields | undefined {
  const before = errors.length;
  const report: Report = (field, message, limit) =>
    errors.push({ field: prefix + field, message, ...(limit === undefined ? {} : { limit }) });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    errors.push({ field: prefix === '' ? 'body' : prefix.slice(0, -1), message: 'must be an object' });
    return undefined;
  }
  const event = value as Record<string, unknown>;
  for (const name in event) if (!FIELDS.has(name)) report(name, 'is not a field of an event');
  checkText('id', event['id'], limits.maxIdLength, report);
  checkText('key', event['key'], limits.maxKeyLength, report);
  checkType(event['type'], limits.maxTypeLength, report);
  const { time } = event;
  if (time !== undefined && (typeof time !== 'string' || !isTime(time)))
    report('time', 'must be a time as in RFC 3339, e.g. 2026-11-22T08:30:00Z');
  if (!Object.hasOwn(event, 'data')) report('data', 'is required');
  return errors.length === before ? (value as EventFields) : undefined;
}

function checkText(field: string, value: unknown, limit: number, report: Report): void {
  if (value === undefined) return;
  if (typeof value !== 'string' || value === '') report(field, 'must be a text that is not empty');
  else if (value.length > limit) report(field, `must not be longer than ${limit} characters`, limit);
  else if (UNUSABLE.test(value)) report(field, 'must not contain control characters or lone surrogates');
}

function checkType(value: unknown, limit: number, report: Report): void {
  if (value === undefined) report('type', 'is required');
  else if (typeof value !== 'string') report('type', 'must be a text');
  else if (value.length > limit) report('type', `must not be longer than ${limit} characters`, limit);
  else if (!isEventType(value))
    report('type', 'must be words of A-Z a-z 0-9 _ : / - with dots between, e.g. order.created');
}
