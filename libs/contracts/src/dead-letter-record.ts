import { decodeDeliveryHeaders, encodeDeliveryHeaders, type DeliveryEnvelope } from './delivery-record.js';
import { requiredHeader, type RecordHeaders } from './log-position.js';

/** Why a delivery ended without being delivered. */
export type DeadLetterReason =
  /** Its window of 24 h is over, or no retry falls due inside it. */
  | 'expired'
  | 'subscription-deleted'
  /** Of a time in which what waited for a disabled subscription was not held. */
  | 'subscription-disabled'
  /** The endpoint answered 410. */
  | 'endpoint-gone'
  /** It was held, and the log has let go of it; for a whole range of offsets, see {@link HeldRange}. */
  | 'let-go'
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

/**
 * What a subscription did not get of one partition of `hookline.events`, and never will of itself: one dead letter for all
 * of it. Key: the subscription's id. Headers: `reason`, and `held-range` with this as JSON. No value.
 */
export interface HeldRange {
  tenant: string;
  subscriptionId: string;
  partition: number;
  /** Inclusive. */
  from: number;
  /** Exclusive. */
  to: number;
  /** Since when it was held, ISO 8601. */
  since: string;
}

export function encodeHeldRangeHeaders(range: HeldRange, reason: 'let-go' | 'subscription-deleted'): RecordHeaders {
  return { reason, 'held-range': JSON.stringify(range) };
}

export function encodeDeadLetterHeaders(letter: DeadLetter): RecordHeaders {
  return { ...encodeDeliveryHeaders(letter.delivery), reason: letter.reason };
}

/** @throws UnreadableRecord */
export function decodeDeadLetterHeaders(headers: Readonly<Record<string, unknown>>): DeadLetter {
  const reason = requiredHeader(headers, 'reason') as DeadLetterReason;
  return { delivery: decodeDeliveryHeaders(headers), reason };
}
