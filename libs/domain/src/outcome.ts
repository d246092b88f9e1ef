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

/** Whether an endpoint's answer says that it has the event: any 2xx, nothing else. */
export function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
