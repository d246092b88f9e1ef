import { decodeEventHeaders, encodeEventHeaders, type EventEnvelope } from './event-record.js';
import {
  decodePosition,
  encodePosition,
  numericHeader,
  optionalHeader,
  requiredHeader,
  UnreadableRecord,
  type LogPosition,
  type RecordHeaders,
} from './log-position.js';

/** One attempt as it is carried in a delivery's history: kept short, for it travels with the payload. */
export interface AttemptSummary {
  number: number;
  /** Milliseconds since the epoch. */
  at: number;
  durationMs: number;
  status?: number;
  error?: string;
}

/**
 * A record of a lane: `hookline.deliveries`, `hookline.deliveries.replay`, `hookline.retry.<delay>`,
 * and (with a reason) `hookline.dead-letters`. Key: the subscription's id. Value: the event's data bytes.
 * Identity: `deliveryId`, the same over retries and replays; a copy after a crash is harmless, for it has the same one.
 */
export interface DeliveryEnvelope {
  event: EventEnvelope;
  source: LogPosition;
  subscriptionId: string;
  /** Also the `webhook-id` that the endpoint sees. */
  deliveryId: string;
  /** Attempts made so far in all windows; the next one has this number + 1. */
  attempts: number;
  /** When this window began: the first attempt or first deferral, ms since the epoch. Absent: it begins with the next. */
  windowStart?: number;
  replayId?: string;
  /** The subscription's epoch when this was matched; absent: 0. One of an older epoch than the subscription's is superseded. */
  epoch?: number;
  /** The subscription's version by which this was matched, or that a replay has seen. Who knows only an older one waits for it. */
  version?: number;
  /** The last attempts of this window, oldest first. */
  history: AttemptSummary[];
}

/** Attempts carried in a record's history; older ones are in the attempts topic only. */
export const HISTORY_LIMIT = 32;

export function encodeDeliveryHeaders(delivery: DeliveryEnvelope): RecordHeaders {
  const headers = encodeEventHeaders(delivery.event);
  headers['source'] = encodePosition(delivery.source);
  headers['subscription'] = delivery.subscriptionId;
  headers['delivery'] = delivery.deliveryId;
  headers['attempts'] = String(delivery.attempts);
  if (delivery.windowStart !== undefined) headers['window'] = String(delivery.windowStart);
  if (delivery.replayId !== undefined) headers['replay'] = delivery.replayId;
  if (delivery.epoch !== undefined) headers['epoch'] = String(delivery.epoch);
  if (delivery.version !== undefined) headers['version'] = String(delivery.version);
  if (delivery.history.length > 0) headers['history'] = JSON.stringify(delivery.history.slice(-HISTORY_LIMIT));
  return headers;
}

/** @throws UnreadableRecord */
export function decodeDeliveryHeaders(headers: Readonly<Record<string, unknown>>): DeliveryEnvelope {
  const delivery: DeliveryEnvelope = {
    event: decodeEventHeaders(headers),
    source: decodePosition(headers, 'source'),
    subscriptionId: subscriptionIdIn(requiredHeader(headers, 'subscription'), 'subscription'),
    deliveryId: deliveryIdIn(headers),
    attempts: numericHeader(headers, 'attempts'),
    history: parseHistory(optionalHeader(headers, 'history')),
  };
  if (headers['window'] !== undefined) delivery.windowStart = numericHeader(headers, 'window');
  if (headers['epoch'] !== undefined) delivery.epoch = numericHeader(headers, 'epoch');
  if (headers['version'] !== undefined) delivery.version = numericHeader(headers, 'version');
  const replayId = optionalHeader(headers, 'replay');
  if (replayId !== undefined) delivery.replayId = replayId;
  return delivery;
}

/** Of a retry: whoever read its event wrote it, and the subscription's owner has not counted it among what waits. */
const UNCOUNTED = 'uncounted';

export function markUncounted(headers: RecordHeaders): RecordHeaders {
  return { ...headers, [UNCOUNTED]: '1' };
}

export function isUncounted(headers: Readonly<Record<string, unknown>>): boolean {
  return headers[UNCOUNTED] !== undefined;
}

/** As wide as ids may ever get; what is none of ours would otherwise wait for ever to be heard of. */
const SUBSCRIPTION_ID = /^sub_[0-9a-z]{1,40}$/;
const DELIVERY_ID = /^msg_[0-9a-f]{32}$/;

/** @throws UnreadableRecord naming the header */
export function subscriptionIdIn(value: unknown, header: string): string {
  if (typeof value === 'string' && SUBSCRIPTION_ID.test(value)) return value;
  throw new UnreadableRecord(`header ${header} has what is no subscription's id`);
}

function deliveryIdIn(headers: Readonly<Record<string, unknown>>): string {
  const id = requiredHeader(headers, 'delivery');
  if (!DELIVERY_ID.test(id)) throw new UnreadableRecord("header delivery is no delivery's id");
  return id;
}

function parseHistory(text: string | undefined): AttemptSummary[] {
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every(isSummary)) return parsed;
  } catch {
    // falls through: the same answer for no JSON and for JSON that is no list of attempts
  }
  throw new UnreadableRecord('header history is not a list of attempts');
}

function isSummary(value: unknown): value is AttemptSummary {
  const { number, at, durationMs } = (value ?? {}) as Partial<AttemptSummary>;
  return typeof number === 'number' && typeof at === 'number' && typeof durationMs === 'number';
}
