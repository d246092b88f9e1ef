import type { DeadLetterReason } from './dead-letter-record.js';
import { UnreadableRecord, type LogPosition } from './log-position.js';

/** `held`: its subscription is paused or disabled; it waits in the log, and a catch-up brings it. */
export type DeliveryState = 'pending' | 'delivered' | 'retrying' | 'dead-lettered' | 'held';

/**
 * Why a delivery that waited is held now: how its subscription stood when it was its turn; or that a catch-up had superseded
 * it and has ended without bringing it.
 */
export type HeldReason = 'subscription-paused' | 'subscription-disabled' | 'catch-up-ended';

/** What one attempt met. */
export interface AttemptOutcome {
  /** Made by the worker: tells two tries with the same number apart (one of them repeated after a crash). */
  id: string;
  /** 1 for the first. */
  number: number;
  /** Start, milliseconds since the epoch, by the worker's clock. */
  at: number;
  durationMs: number;
  /** The subscription's version that it was made by; what was sent follows from it. */
  version?: number;
  /** The HTTP status, if there was an answer. */
  status?: number;
  /** A named failure, if there was none: `timeout`, `connection-refused`, `address-refused`, … */
  error?: string;
  /** The start of the answer's body, as text. */
  responseBody?: string;
  /** Headers of an answer that was no success, secrets masked: name, value, name, value … */
  responseHeaders?: readonly string[];
}

/**
 * A record of `hookline.attempts`: JSON, no key; the flush chooses the partition, for its order does not matter.
 * The first record about an event says what it matched, so that an event that matched nothing is seen as such.
 */
export interface OutcomeRecord {
  v: 1;
  tenant: string;
  eventId: string;
  type: string;
  source: LogPosition;
  /** The ids of all matching subscriptions; in the first record about an event, and there only. */
  matched?: string[];
  /** The event repeats an id: the offset, in the same partition, of the first one known. It matches nothing. */
  duplicateOf?: number;
  delivery?: {
    id: string;
    subscriptionId: string;
    state: DeliveryState;
    attempt?: AttemptOutcome;
    /** When the next attempt is due, ms since the epoch. */
    nextAttemptAt?: number;
    /** Why it was dead-lettered, is held, or was handed over without an attempt. */
    reason?: DeadLetterReason | HeldReason | 'busy';
    replayId?: string;
  };
  /** The endpoint said that it is gone for good (410): the subscription is to be disabled, if it is still at this version. */
  gone?: { subscriptionId: string; version: number };
  /**
   * The owner's word on how much waits for a subscription: too much, so that it is to be held back, or little enough
   * again; if it is still at this version.
   */
  backlog?: { subscriptionId: string; version: number; is: 'full' | 'low' };
}

export function encodeOutcome(outcome: OutcomeRecord): Buffer {
  return Buffer.from(JSON.stringify(outcome));
}

/** @throws UnreadableRecord */
export function decodeOutcome(value: Buffer | null): OutcomeRecord {
  if (value === null) throw new UnreadableRecord('an outcome without a value');
  let outcome: OutcomeRecord;
  try {
    outcome = JSON.parse(value.toString('utf8')) as OutcomeRecord;
  } catch {
    throw new UnreadableRecord('an outcome that is not JSON');
  }
  if (outcome?.v !== 1 || typeof outcome.source?.offset !== 'number' || typeof outcome.tenant !== 'string')
    throw new UnreadableRecord('an outcome of an unknown version or shape');
  return outcome;
}
