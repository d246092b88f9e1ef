import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import type { CopyTable } from './copy.js';

/** A record of `hookline.events`. */
export interface EventToRecord {
  position: LogPosition;
  envelope: EventEnvelope;
  payload: Buffer;
  /** Bytes that were published, where the payload was expunged since; left out: those of the payload. */
  size?: number;
}

export const EVENTS: CopyTable<EventToRecord> = {
  name: 'events',
  columns: ['partition', '"offset"', 'appended_at', 'tenant_id', 'event_id', 'type', 'time', 'key', 'payload', 'size'],
  encode: (buffer, { position, envelope, payload, size = payload.length }) =>
    buffer
      .int4(position.partition)
      .int8(position.offset)
      .timestamp(position.at)
      .text(envelope.tenant)
      .text(envelope.id)
      .text(envelope.type)
      .text(envelope.time)
      .text(envelope.key)
      .bytea(payload)
      .int4(size),
};
