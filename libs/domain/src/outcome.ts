import type { DeadLetterReason } from '@hookline/contracts';

/** What becomes of a delivery. Only the delivery engine turns it into records. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Attempted and failed; due again `delayMs + jitterMs` after the retry record's append time. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly jitterMs: number }
  /** Not attempted, for there was no room; due likewise, with no attempt spent. */
  | { readonly kind: 'defer'; readonly delayMs: number; readonly jitterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason };

export const DELIVERED: Outcome = { kind: 'delivered' };
export const EXPIRED: Outcome = { kind: 'dead-letter', reason: 'expired' };
