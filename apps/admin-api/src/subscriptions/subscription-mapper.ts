import type { SubscriptionSecrets } from '@hookline/contracts';
import { UnsealError, type Sealer } from '@hookline/domain';
import type { Subscription } from '@hookline/persistence';
import { ProblemError } from '@hookline/platform';
import type { HealthView, HeldView, SubscriptionView } from './subscriptions.schemas.js';

type Owner = Pick<Subscription, 'id' | 'tenantId'>;

/** A subscription between its row, its sealed secrets and what is shown of it. */
export class SubscriptionMapper {
  constructor(private readonly sealer: Sealer) {}

  seal(owner: Owner, secrets: SubscriptionSecrets): string {
    return this.sealer.seal(JSON.stringify(secrets), associatedData(owner));
  }

  /** @throws ProblemError 503 where the key that sealed them is not in the settings */
  unseal(row: Owner & Pick<Subscription, 'sealed'>): SubscriptionSecrets {
    try {
      return JSON.parse(this.sealer.open(row.sealed, associatedData(row))) as SubscriptionSecrets;
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      throw new ProblemError(503, 'secrets-unavailable', "The subscription's secrets can't be opened", {
        detail: error.message,
      });
    }
  }

  toView(row: Subscription, health: HealthView, held: HeldView | null): SubscriptionView {
    return {
      id: row.id,
      tenantId: row.tenantId,
      url: row.url,
      types: row.types,
      status: row.status === 'deleted' ? 'disabled' : row.status,
      disabledReason: row.disabledReason,
      disabledAt: row.disabledAt?.toISOString() ?? null,
      ordering: row.ordering,
      rateLimit: row.rateLimit,
      maxInFlight: row.maxInFlight,
      health,
      held,
      description: row.description,
      headerNames: Object.keys(this.unseal(row).headers),
      version: row.version,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
    };
  }
}

function associatedData({ id, tenantId }: Owner): string {
  return `${tenantId}/${id}`;
}
