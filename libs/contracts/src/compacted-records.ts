import { UnreadableRecord } from './log-position.js';

/**
 * Written to each compacted topic once it has all that it is to begin with: a reader that has not seen it has not seen the
 * topic.
 */
export const GENESIS_KEY = 'genesis';

/** What every value of a compacted topic has: an older version never overtakes a newer one. */
export interface Versioned {
  v: 1;
  /** Grows with each change of this id, in the database's row. */
  version: number;
}

/** `paused` by its owner, for a while; `disabled` by its owner, or because its endpoint is gone or failed for too long. */
export type SubscriptionStatus = 'enabled' | 'paused' | 'disabled';

export interface RateLimit {
  /** Attempts a second; may be a fraction. */
  perSecond: number;
  /** How many may come at once after a pause. */
  burst: number;
}

/** What an earlier version of a subscription took, and from where: who reads an event goes by the version that held at its offset. */
export interface EarlierVersion {
  version: number;
  /** Whether it took events of the log: enabled, and not held back. */
  live: boolean;
  types: string[];
  /** As in {@link SubscriptionRecord.holdsFrom}. */
  holdsFrom: Record<string, number>;
}

/** So many earlier versions travel with a record; of a subscription that is changed more often the oldest are forgotten. */
export const EARLIER_VERSIONS = 8;

/** A value of `hookline.subscriptions`; the key is the id. A deleted one is a value too, so that it has a version. */
export interface SubscriptionRecord extends Versioned {
  id: string;
  tenant: string;
  url: string;
  /** Exact types, `prefix.*` or `*`. */
  types: string[];
  status: SubscriptionStatus | 'deleted';
  /** Who or what disabled it, and when, ms since the epoch. Workers don't ask; a database that is made anew does. */
  disabled?: { by: 'owner' | 'endpoint-gone' | 'failing'; at?: number };
  /** `key`: events of one ordering key come one after the other. Absent: in any order. Fixed when it is made. */
  ordering?: 'key';
  /** Attempts that it may get, over the whole fleet. Absent: without a limit. */
  rateLimit?: RateLimit;
  /** Attempts in flight at most, over the whole fleet. Absent: the workers' own setting. */
  maxInFlight?: number;
  /** Static headers and signing secrets, sealed: they may be credentials. */
  sealed: string;
  /**
   * Enabled, but with so much waiting that it takes no more from the log for now: what is in its lanes goes on, and what
   * comes is held at its position of the log, until there is room again.
   */
  heldBack?: true;
  /**
   * Grows with each catch-up: what a lane has of an older epoch is superseded, for the catch-up brings it. Absent: 0.
   */
  epoch?: number;
  /** The offset of `hookline.events` up to which the catch-up of this epoch reads, by partition. Absent: to the end. */
  epochFrom?: Record<string, number>;
  /** The replay that catches up, of an ordered subscription: what is live waits in its lane until that is through. */
  catchingUp?: string;
  /** The offset of `hookline.events` from which this version holds, by partition. */
  holdsFrom: Record<string, number>;
  /** The versions before this one, the latest first; those that took the same events as the one before them are left out. */
  before?: EarlierVersion[];
}

/** What {@link SubscriptionRecord.sealed} holds, as JSON. Associated data of the seal: `tenant/id`. */
export interface SubscriptionSecrets {
  /** `whsec_…`, newest first; each one signs. */
  secrets: string[];
  headers: Record<string, string>;
}

/** A value of `hookline.credentials`; the key is the key's public id. */
export interface CredentialRecord extends Versioned {
  id: string;
  tenant: string;
  /** SHA-256 of the whole key, in hex. */
  hash: string;
  status: 'active' | 'revoked';
}

export interface GenesisRecord {
  v: 1;
  genesis: true;
  /** ISO 8601. */
  at: string;
}

export function encodeCompacted(value: SubscriptionRecord | CredentialRecord | GenesisRecord): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** @throws UnreadableRecord */
export function decodeCompacted<T extends Versioned>(value: Buffer): T {
  let record: T;
  try {
    record = JSON.parse(value.toString('utf8')) as T;
  } catch {
    throw new UnreadableRecord('a compacted record that is not JSON');
  }
  if (record?.v !== 1) throw new UnreadableRecord('a compacted record of an unknown version');
  return record;
}
