import { isUtf8 } from 'node:buffer';
import type { PublishConfig } from '@hookline/config';
import type { EventEnvelope, FieldError } from '@hookline/contracts';
import {
  checkFields,
  elementsOf,
  membersOf,
  newId,
  skipSpace,
  type EventFields,
  type JsonMember,
} from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { invalid, malformed, tooLarge } from './problems.js';

/** An event as it will stand in the log, but for its tenant. */
export interface IncomingEvent {
  fields: Omit<EventEnvelope, 'tenant'>;
  /** The id that the publisher gave; it decides the partition where there is no key. */
  callerId: string | undefined;
  /** A part of the request's own bytes. */
  data: Buffer;
}

/** Reads requests: what is wrong with one is said all at once, and nothing of it is taken. */
export class EventReader {
  constructor(
    private readonly limits: PublishConfig,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError */
  one(body: Buffer): IncomingEvent {
    const value = parse(body);
    const errors: FieldError[] = [];
    const event = this.event(value, body, skipSpace(body, 0), '', errors);
    if (event === undefined) throw this.refusal(errors);
    return event;
  }

  /** @throws ProblemError naming the index of what is wrong; then none of the events is taken */
  batch(body: Buffer): IncomingEvent[] {
    const values = this.eventsIn(parse(body));
    const lists = membersOf(body, skipSpace(body, 0));
    if (lists.length > 1) throw invalid([{ field: 'events', message: 'stands there more than once' }]);
    const spans = elementsOf(body, (lists[0] as JsonMember).start);
    const errors: FieldError[] = [];
    const events: IncomingEvent[] = [];
    for (const [index, span] of spans.entries()) {
      const event = this.event(values[index], body, span.start, `events[${index}].`, errors);
      if (event) events.push(event);
    }
    if (errors.length > 0) throw this.refusal(errors);
    return events;
  }

  private eventsIn(value: unknown): unknown[] {
    const { maxBatchEvents: limit } = this.limits;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid([{ field: 'body', message: 'must be an object with the list `events`' }]);
    const unknown = Object.keys(value).filter((name) => name !== 'events');
    if (unknown.length > 0) throw invalid(unknown.map((field) => ({ field, message: 'is not a field of a batch' })));
    const { events } = value as { events?: unknown };
    if (!Array.isArray(events)) throw invalid([{ field: 'events', message: 'must be a list of events' }]);
    if (events.length === 0) throw invalid([{ field: 'events', message: 'must not be empty' }]);
    if (events.length > limit)
      throw invalid([{ field: 'events', message: `must not be more than ${limit}, here are ${events.length}`, limit }]);
    return events;
  }

  private event(
    value: unknown,
    body: Buffer,
    at: number,
    prefix: string,
    errors: FieldError[],
  ): IncomingEvent | undefined {
    const fields = checkFields(value, prefix, this.limits, errors);
    if (fields === undefined) return undefined;
    const data = this.dataOf(membersOf(body, at), prefix, errors);
    return data && this.incoming(fields, body.subarray(data.start, data.end));
  }

  private dataOf(members: JsonMember[], prefix: string, errors: FieldError[]): JsonMember | undefined {
    const before = errors.length;
    for (const [index, { name }] of members.entries())
      // The parser took the last one, another reader may take the first.
      if (members.findIndex((other) => other.name === name) < index)
        errors.push({ field: prefix + name, message: 'stands there more than once' });
    const data = members.find(({ name }) => name === 'data') as JsonMember;
    const { maxEventBytes: limit } = this.limits;
    if (data.end - data.start > limit)
      errors.push({ field: `${prefix}data`, message: `must not be larger than ${limit} bytes`, limit });
    return errors.length === before ? data : undefined;
  }

  private incoming({ id, type, time, key }: EventFields, data: Buffer): IncomingEvent {
    return {
      fields: {
        id: id ?? newId('evt'),
        type,
        time: time ?? new Date(this.clock.now()).toISOString(),
        ...(key === undefined ? {} : { key }),
      },
      callerId: id,
      data,
    };
  }

  /** Too much data, and nothing else: 413 says it better. */
  private refusal(errors: FieldError[]): Error {
    const [first] = errors;
    const { maxEventBytes } = this.limits;
    return errors.length === 1 && first?.limit === maxEventBytes && first.field.endsWith('data')
      ? tooLarge(maxEventBytes, first.field)
      : invalid(errors);
  }
}

function parse(body: Buffer): unknown {
  if (!isUtf8(body)) throw malformed('It must be UTF-8.');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw malformed((error as Error).message);
  }
}
