import type { DeadLetterReason, HeldReason } from '@hookline/contracts';

/** What becomes of a delivery. Only the delivery engine turns it into records. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Attempted and failed; due again `delayMs + jitterMs` after the retry record's append time. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly jitterMs: number }
  /** Not attempted, for there was no room; due likewise, with no attempt spent. */
  | { readonly kind: 'defer'; readonly delayMs: number; readonly jitterMs: number }
  | End;

/** How a delivery ends that is not attempted any more. */
export type End =
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason }
  /** Its subscription takes nothing now: it waits at its position of the log, until a catch-up brings it. */
  | { readonly kind: 'held'; readonly reason: HeldReason }
  /** A catch-up brings it: this record ends without a word. */
  | { readonly kind: 'superseded' };

export const DELIVERED: Outcome = { kind: 'delivered' };
export const SUPERSEDED: End = { kind: 'superseded' };
export const EXPIRED: End = { kind: 'dead-letter', reason: 'expired' };
