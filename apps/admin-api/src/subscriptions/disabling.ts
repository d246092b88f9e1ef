import type { Subscription } from '@hookline/persistence';

/** Whether a subscription is enabled, and if not, since when and why. */
type Disabling = Pick<Subscription, 'status' | 'disabledReason' | 'disabledAt'>;

export const ENABLED: Disabling = { status: 'enabled', disabledReason: null, disabledAt: null };

/** What the owner's step to a status makes of it; who or what disabled it first stays. */
export function stepped(old: Disabling, status: 'enabled' | 'disabled', now: Date): Disabling {
  if (status === 'enabled') return ENABLED;
  if (old.status === 'enabled') return { status, disabledReason: 'owner', disabledAt: now };
  return { status, disabledReason: old.disabledReason, disabledAt: old.disabledAt };
}
