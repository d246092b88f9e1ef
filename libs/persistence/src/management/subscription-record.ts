import type { PendingSubscription } from './enqueue.js';
import type { Subscription } from './subscription.entity.js';

/** The columns that the workers' topic has. */
export type PublishedSubscription = Pick<
  Subscription,
  | 'id'
  | 'tenantId'
  | 'url'
  | 'types'
  | 'status'
  | 'disabledReason'
  | 'disabledAt'
  | 'ordering'
  | 'rateLimit'
  | 'maxInFlight'
  | 'sealed'
  | 'version'
  | 'epoch'
  | 'heldBack'
  | 'catchingUp'
>;

/** These, of a table `subscriptions s`, for a statement that is written by hand. */
export const PUBLISHED_COLUMNS = `s.id, s.tenant_id AS "tenantId", s.url, s.types, s.status, s.ordering,
    s.rate_limit AS "rateLimit", s.max_in_flight AS "maxInFlight", s.sealed, s.version, s.epoch,
    s.held_back AS "heldBack", s.catching_up AS "catchingUp", s.disabled_reason AS "disabledReason", s.disabled_at AS "disabledAt"`;

/** A subscription as the workers know it, but for what only the publisher knows. */
export function toSubscriptionRecord(row: PublishedSubscription): PendingSubscription {
  return {
    v: 1,
    version: row.version,
    id: row.id,
    tenant: row.tenantId,
    url: row.url,
    types: row.types,
    status: row.status,
    ...disabledOf(row),
    ...(row.ordering === 'key' ? { ordering: row.ordering } : {}),
    ...(row.rateLimit === null ? {} : { rateLimit: row.rateLimit }),
    ...(row.maxInFlight === null ? {} : { maxInFlight: row.maxInFlight }),
    sealed: row.sealed,
    ...(row.heldBack ? { heldBack: true } : {}),
    ...(row.epoch === 0 ? {} : { epoch: row.epoch }),
    ...(row.catchingUp === null ? {} : { catchingUp: row.catchingUp }),
  };
}

function disabledOf({ disabledReason: by, disabledAt }: PublishedSubscription): Pick<PendingSubscription, 'disabled'> {
  if (by === null) return {};
  return { disabled: { by, ...(disabledAt === null ? {} : { at: disabledAt.getTime() }) } };
}
