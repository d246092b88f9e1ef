import { optionalHeader, type RecordHeaders } from './log-position.js';

const PREFIX = 'endpoint:';

/**
 * A record of `hookline.progress`: what the owner of a subscription says about its endpoint, when that changes, so that
 * the other workers leave it alone and the next owner knows. Key: `endpoint:` and the subscription's id. With a value:
 * it is broken, and only its owner tries it. Without: it is back. It counts from the append time, and for a while only.
 */
export interface EndpointWord {
  subscriptionId: string;
  isBroken: boolean;
  /** Tells words apart: who said it, and which of its words it is. */
  word: string;
}

export function encodeEndpointWord({ subscriptionId, isBroken, word }: EndpointWord): {
  key: string;
  value: Buffer | null;
  headers: RecordHeaders;
} {
  const value = isBroken ? Buffer.from(JSON.stringify({ v: 1, state: 'broken' })) : null;
  return { key: PREFIX + subscriptionId, value, headers: { word } };
}

/** Undefined where the record is about something else. */
export function decodeEndpointWord(record: {
  key: Buffer | null;
  value: Buffer | null;
  headers: Readonly<Record<string, unknown>>;
}): EndpointWord | undefined {
  const key = record.key?.toString('utf8') ?? '';
  if (!key.startsWith(PREFIX)) return undefined;
  const word = optionalHeader(record.headers, 'word') ?? '';
  return { subscriptionId: key.slice(PREFIX.length), isBroken: record.value !== null, word };
}
