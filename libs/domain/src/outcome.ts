import type { DeadLetterReason } from '@hookline/contracts';

/** What becomes of a delivery. Only the delivery engine turns it into records. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Attempted and failed; the next attempt is due `delayMs` after the retry record's append time, and jitter. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly jitterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason }
  /** Not attempted, for there was no room; handed over without spending an attempt. */
  | { readonly kind: 'defer' };

export const DELIVERED: Outcome = { kind: 'delivered' };
export const EXPIRED: Outcome = { kind: 'dead-letter', reason: 'expired' };
export const DEFERRED: Outcome = { kind: 'defer' };

/** Whether an endpoint's answer says that it has the event: any 2xx, nothing else. */
export function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
