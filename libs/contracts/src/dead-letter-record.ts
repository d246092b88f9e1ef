import { decodeDeliveryHeaders, encodeDeliveryHeaders, type DeliveryEnvelope } from './delivery-record.js';
import { requiredHeader, type RecordHeaders } from './log-position.js';

/** Why a delivery ended without being delivered. */
export type DeadLetterReason =
  /** Its window of 24 h is over, or no retry falls due inside it. */
  | 'expired'
  | 'subscription-deleted'
  | 'subscription-disabled'
  /** The endpoint answered 410. */
  | 'endpoint-gone'
  /** The record itself can't be read. */
  | 'unreadable';

/**
 * A record of `hookline.dead-letters`: the delivery as it stood, and the reason. An unreadable record keeps its own
 * headers and value, with `reason`, `detail` and `origin` (topic:partition:offset) added.
 */
export interface DeadLetter {
  delivery: DeliveryEnvelope;
  reason: DeadLetterReason;
}

export function encodeDeadLetterHeaders(letter: DeadLetter): RecordHeaders {
  return { ...encodeDeliveryHeaders(letter.delivery), reason: letter.reason };
}

/** @throws UnreadableRecord */
export function decodeDeadLetterHeaders(headers: Readonly<Record<string, unknown>>): DeadLetter {
  const reason = requiredHeader(headers, 'reason') as DeadLetterReason;
  return { delivery: decodeDeliveryHeaders(headers), reason };
}
