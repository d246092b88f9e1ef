import { decodeDeliveryHeaders, encodeDeliveryHeaders, type DeliveryEnvelope } from './delivery-record.js';
import { optionalHeader, requiredHeader, UnreadableRecord, type RecordHeaders } from './log-position.js';

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
  /** Its payload was expunged before it could be sent again. For a range of offsets, too, for nothing of it may be kept. */
  | 'expunged'
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

const HELD_RANGE_REASONS = ['let-go', 'subscription-deleted', 'expunged'] as const;
export type HeldRangeReason = (typeof HELD_RANGE_REASONS)[number];

export function encodeHeldRangeHeaders(range: HeldRange, reason: HeldRangeReason): RecordHeaders {
  return { reason, 'held-range': JSON.stringify(range) };
}

/**
 * Undefined for any other dead letter: also for a record that can't be read and has such a header of its own, for the
 * reason is never its own.
 * @throws UnreadableRecord
 */
export function decodeHeldRange(headers: Readonly<Record<string, unknown>>): HeldRange | undefined {
  const text = optionalHeader(headers, 'held-range');
  if (text === undefined || !isOfRange(optionalHeader(headers, 'reason'))) return undefined;
  const { tenant, subscriptionId, partition, from, to, since } = fieldsOf(text);
  if (isText(tenant) && isText(subscriptionId) && isText(since) && isCount(partition) && isCount(from) && isCount(to))
    return { tenant, subscriptionId, partition, from, to, since };
  throw new UnreadableRecord('header held-range is no range');
}

const isOfRange = (reason: unknown): boolean => HELD_RANGE_REASONS.some((each) => each === reason);
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fieldsOf(text: string): Partial<Record<keyof HeldRange, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Record<keyof HeldRange, unknown>>;
  } catch {
    throw new UnreadableRecord('header held-range is no JSON');
  }
}

export function encodeDeadLetterHeaders(letter: DeadLetter): RecordHeaders {
  return { ...encodeDeliveryHeaders(letter.delivery), reason: letter.reason };
}

/** @throws UnreadableRecord */
export function decodeDeadLetterHeaders(headers: Readonly<Record<string, unknown>>): DeadLetter {
  const reason = requiredHeader(headers, 'reason') as DeadLetterReason;
  return { delivery: decodeDeliveryHeaders(headers), reason };
}
