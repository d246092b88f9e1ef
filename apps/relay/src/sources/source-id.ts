import { createHash } from 'node:crypto';

const LENGTH = 22;

/** 132 bits of SHA-256: two texts that give the same are not to be met. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, LENGTH);
}

/** What a derived id is made of; the timestamp tells a topic that was made again from the one before it. */
export interface RecordPlace {
  source: string;
  topic: string;
  partition: number;
  offset: number;
  /** The record's timestamp, ms since the epoch. */
  timestamp: number;
}

/** The id of an event whose record names none: whoever takes the record, and however often, it is the same. */
export function derivedId({ source, topic, partition, offset, timestamp }: RecordPlace): string {
  return `src_${digest(JSON.stringify([source, topic, partition, offset, timestamp]))}`;
}

/**
 * The id of a CloudEvent: by its specification only source and id together are unique. A digest of the source stands
 * behind the id, or one of both instead of an id that would be too long, so that two events never have one id.
 */
export function cloudEventId(source: string, id: string, maxLength: number): string {
  const whole = `${id}.${digest(source)}`;
  return whole.length <= maxLength ? whole : `ce_${digest(JSON.stringify([source, id]))}`;
}
