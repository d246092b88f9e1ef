import type { SubscriptionRecord } from '@hookline/contracts';
import type { Subscription } from './subscription.entity.js';

/** The columns that workers know of. */
export type PublishedSubscription = Pick<
  Subscription,
  'id' | 'tenantId' | 'url' | 'types' | 'status' | 'ordering' | 'rateLimit' | 'maxInFlight' | 'sealed' | 'version'
>;

/** A subscription as the workers know it, but for the position from which it holds. */
export function toSubscriptionRecord(row: PublishedSubscription): Omit<SubscriptionRecord, 'holdsFrom'> {
  return {
    v: 1,
    version: row.version,
    id: row.id,
    tenant: row.tenantId,
    url: row.url,
    types: row.types,
    status: row.status,
    ...(row.ordering === 'key' ? { ordering: row.ordering } : {}),
    ...(row.rateLimit === null ? {} : { rateLimit: row.rateLimit }),
    ...(row.maxInFlight === null ? {} : { maxInFlight: row.maxInFlight }),
    sealed: row.sealed,
  };
}
