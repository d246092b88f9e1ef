import type { SubscriptionStatus } from '@hookline/contracts';
import type { Subscription } from '@hookline/persistence';

/** Whether a subscription is enabled, and if not, since when and why; and whether there is too much waiting for it. */
type Disabling = Pick<Subscription, 'status' | 'disabledReason' | 'disabledAt' | 'heldBack'>;

/** Whoever is enabled begins anew: should there still be too much, its owner says so again. */
export const ENABLED: Disabling = { status: 'enabled', disabledReason: null, disabledAt: null, heldBack: false };

/** From when on failures count again: not before it was disabled, which is a time of the log. */
export function enabledAt({ disabledAt }: Disabling, now: Date): Date {
  return disabledAt !== null && disabledAt > now ? disabledAt : now;
}

/** What the owner's step to a status makes of it; who or what disabled it first stays, and so does what is. */
export function stepped(old: Disabling, status: SubscriptionStatus, now: Date): Disabling {
  if (status === old.status) {
    const { disabledReason, disabledAt, heldBack } = old;
    return { status, disabledReason, disabledAt, heldBack };
  }
  if (status === 'enabled') return ENABLED;
  return status === 'paused'
    ? { ...ENABLED, status }
    : { ...ENABLED, status, disabledReason: 'owner', disabledAt: now };
}
