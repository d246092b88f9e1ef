import { subscriptionIdIn } from './delivery-record.js';
import { decodeEventHeaders, encodeEventHeaders, type EventEnvelope } from './event-record.js';
import {
  decodePosition,
  encodePosition,
  numericHeader,
  requiredHeader,
  UnreadableRecord,
  type LogPosition,
  type RecordHeaders,
} from './log-position.js';

/**
 * A record of `hookline.deliveries` that stands for many: an event that matched more subscriptions than are served
 * directly, for those of them whose lane partition this is. Partition: that one; no key. Value: the event's data bytes.
 * Identity: each delivery's own, which is derived from the event, its position and the subscription. Known by its
 * header `fan-out`, a JSON list of the subscriptions' ids.
 */
export interface WideDelivery {
  event: EventEnvelope;
  source: LogPosition;
  /** When the window of each of them began: with this hand-over; ms since the epoch. */
  windowStart: number;
  /** Without repeats. */
  subscriptionIds: readonly string[];
}

/** So many subscriptions are named in one record at most: with the longest ids 46 KB, beside an event of 256 KiB. */
export const WIDE_MOST_SUBSCRIPTIONS = 1_000;

const FAN_OUT = 'fan-out';

/** Whether a lane's record is a {@link WideDelivery}, and no delivery to one. */
export function isWide(headers: Readonly<Record<string, unknown>>): boolean {
  return headers[FAN_OUT] !== undefined;
}

export function encodeWideHeaders({ event, source, windowStart, subscriptionIds }: WideDelivery): RecordHeaders {
  const headers = encodeEventHeaders(event);
  headers['source'] = encodePosition(source);
  headers['window'] = String(windowStart);
  headers[FAN_OUT] = JSON.stringify(subscriptionIds);
  return headers;
}

/** @throws UnreadableRecord */
export function decodeWideHeaders(headers: Readonly<Record<string, unknown>>): WideDelivery {
  return {
    event: decodeEventHeaders(headers),
    source: decodePosition(headers, 'source'),
    windowStart: numericHeader(headers, 'window'),
    subscriptionIds: idsIn(requiredHeader(headers, FAN_OUT)),
  };
}

function idsIn(text: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new UnreadableRecord('header fan-out is not JSON');
  }
  if (!Array.isArray(parsed) || parsed.length === 0) throw new UnreadableRecord('header fan-out is not a list of ids');
  if (parsed.length > WIDE_MOST_SUBSCRIPTIONS) throw new UnreadableRecord('header fan-out names too many');
  return [...new Set(parsed.map((id) => subscriptionIdIn(id, FAN_OUT)))];
}
