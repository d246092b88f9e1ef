import { requiredHeader, UnreadableRecord, type RecordHeaders } from './log-position.js';
import { TOPICS } from './topics.js';

/**
 * A record of `hookline.events`.
 * Key: tenant + ordering key, else tenant + the caller's id, else none (the flush chooses the partition).
 * Value: the bytes of `data` exactly as they were published; they are what is signed and sent.
 * Identity: the position in the log. Repeats of (tenant, id) within the idempotency window are told apart by the
 * delivery worker that owns the partition, never by a reader of the topic.
 */
export interface EventEnvelope {
  tenant: string;
  /** The caller's id, or one that ingest made. */
  id: string;
  type: string;
  /** When it happened, as the publisher says: RFC 3339. Never the record's timestamp. */
  time: string;
  /** Ordering key, if any. */
  key?: string;
}

const VERSION = 1;

/** One header for all of it: with kafkajs a record's headers cost more than its payload, to write and to read. */
export function encodeEventHeaders({ tenant, id, type, time, key }: EventEnvelope): RecordHeaders {
  return { event: JSON.stringify({ v: VERSION, tenant, id, type, time, key }) };
}

/** @throws UnreadableRecord */
export function decodeEventHeaders(headers: Readonly<Record<string, unknown>>): EventEnvelope {
  const { v, tenant, id, type, time, key } = parseObject(requiredHeader(headers, 'event'));
  if (v !== VERSION) throw new UnreadableRecord(`event version ${String(v)} is unknown`);
  if (typeof tenant !== 'string' || typeof id !== 'string' || typeof type !== 'string' || typeof time !== 'string')
    throw new UnreadableRecord('header event lacks a tenant, an id, a type or a time');
  const event: EventEnvelope = { tenant, id, type, time };
  if (key === undefined) return event;
  if (typeof key !== 'string') throw new UnreadableRecord('header event has a key that is no text');
  event.key = key;
  return event;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // falls through: the same answer for no JSON and for JSON that is no object
  }
  throw new UnreadableRecord('header event is not an object');
}

/**
 * The record of an event.
 * @param callerId the id, where it is not one that was made on the way: repeats of it have to meet in one partition
 */
export function encodeEvent(
  event: EventEnvelope,
  callerId: string | undefined,
  data: Buffer,
): { topic: string; key: string | null; value: Buffer; headers: RecordHeaders } {
  return {
    topic: TOPICS.events,
    key: eventKafkaKey(event.tenant, event.key, callerId),
    value: data,
    headers: encodeEventHeaders(event),
  };
}

/** The Kafka key that decides the partition; null where the flush may choose. NUL can't be in a tenant's id. */
export function eventKafkaKey(tenant: string, key: string | undefined, callerId: string | undefined): string | null {
  if (key !== undefined) return `${tenant}\0k\0${key}`;
  return callerId === undefined ? null : `${tenant}\0i\0${callerId}`;
}
