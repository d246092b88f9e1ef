import { optionalHeader, requiredHeader, UnreadableRecord, type RecordHeaders } from './log-position.js';

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

const VERSION = '1';

export function encodeEventHeaders(event: EventEnvelope): RecordHeaders {
  const headers: RecordHeaders = { v: VERSION, tenant: event.tenant, id: event.id, type: event.type, time: event.time };
  if (event.key !== undefined) headers['key'] = event.key;
  return headers;
}

/** @throws UnreadableRecord */
export function decodeEventHeaders(headers: Readonly<Record<string, unknown>>): EventEnvelope {
  const version = requiredHeader(headers, 'v');
  if (version !== VERSION) throw new UnreadableRecord(`event version ${version} is unknown`);
  const event: EventEnvelope = {
    tenant: requiredHeader(headers, 'tenant'),
    id: requiredHeader(headers, 'id'),
    type: requiredHeader(headers, 'type'),
    time: requiredHeader(headers, 'time'),
  };
  const key = optionalHeader(headers, 'key');
  if (key !== undefined) event.key = key;
  return event;
}

/** The Kafka key that decides the partition; null where the flush may choose. NUL can't be in a tenant's id. */
export function eventKafkaKey(tenant: string, key: string | undefined, callerId: string | undefined): string | null {
  if (key !== undefined) return `${tenant}\0k\0${key}`;
  return callerId === undefined ? null : `${tenant}\0i\0${callerId}`;
}
