import type { EventEnvelope } from '@hookline/contracts';
import { matchesType, SubscriptionIndex, type Matchable } from '@hookline/domain';
import { Subscription } from '@hookline/persistence';
import { In } from 'typeorm';
import type { Database } from '../database/database.js';
import type { ReplayJob } from './replay-job.js';

/** The subscriptions that a replay is for, as they are when it begins or is resumed: those of its tenant that take anything. */
export async function loadSubscriptions(
  database: Database,
  { tenantId, subscriptionIds }: Pick<ReplayJob, 'tenantId' | 'subscriptionIds'>,
): Promise<Matchable[]> {
  const rows = await database.run((manager) =>
    manager.findBy(Subscription, {
      status: 'enabled',
      ...(tenantId === null ? {} : { tenantId }),
      ...(subscriptionIds ? { id: In(subscriptionIds) } : {}),
    }),
  );
  return rows.map((row) => ({ id: row.id, tenant: row.tenantId, types: row.types }));
}

export class ReplayMatcher {
  private readonly index = new SubscriptionIndex<Matchable>();

  /** @param types only events of these, exact or patterns; undefined: of all */
  constructor(
    subscriptions: readonly Matchable[],
    private readonly types?: readonly string[],
  ) {
    for (const subscription of subscriptions) this.index.add(subscription);
  }

  /** The ids of those that get the event; a subscription only ever gets its own tenant's. */
  match({ tenant, type }: EventEnvelope): string[] {
    if (this.types !== undefined && !this.types.some((pattern) => matchesType(pattern, type))) return [];
    return this.index.match(tenant, type).map(({ id }) => id);
  }
}
