import type { EventEnvelope } from '@hookline/contracts';
import { SubscriptionIndex, type Matchable } from '@hookline/domain';
import { Subscription } from '@hookline/persistence';
import { In } from 'typeorm';
import type { Database } from '../database/database.js';
import type { ReplayJob } from './replay-store.js';

/** The subscriptions that a replay is for, as they are when it begins or is resumed. */
export async function loadMatcher(
  database: Database,
  { tenantId, subscriptionIds }: Pick<ReplayJob, 'tenantId' | 'subscriptionIds'>,
): Promise<ReplayMatcher> {
  const rows = await database.run((manager) =>
    manager.findBy(Subscription, {
      status: 'enabled',
      ...(tenantId === null ? {} : { tenantId }),
      ...(subscriptionIds ? { id: In(subscriptionIds) } : {}),
    }),
  );
  return new ReplayMatcher(rows.map(({ id, tenantId: tenant, types }) => ({ id, tenant, types })));
}

export class ReplayMatcher {
  private readonly index = new SubscriptionIndex<Matchable>();

  constructor(subscriptions: readonly Matchable[]) {
    for (const subscription of subscriptions) this.index.set(subscription);
  }

  /** The ids of those that get the event; a subscription only ever gets its own tenant's. */
  match({ tenant, type }: EventEnvelope): string[] {
    return this.index.match(tenant, type).map(({ id }) => id);
  }
}
