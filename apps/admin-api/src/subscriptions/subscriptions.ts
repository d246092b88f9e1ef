import { Sealer } from '@hookline/domain';
import { AddressGuard } from '@hookline/http-delivery';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import type { LogOffsets } from '../topics/log-offsets.js';
import { HealthViews } from './health-views.js';
import { HeldPositions } from './held-positions.js';
import { HeldViews } from './held-views.js';
import { SubscriptionMapper } from './subscription-mapper.js';
import { SubscriptionRules } from './subscription-rules.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** Subscriptions over a database and the log. */
export function subscriptionsOf(
  { database, log, clock }: { database: Database; log: LogOffsets; clock: Clock },
  { admin, delivery, publish, sealing, topics, failing }: Settings,
): SubscriptionsService {
  const guard = new AddressGuard(delivery.allowCidrs);
  const positions = new HeldPositions(database, log);
  return new SubscriptionsService(
    database,
    new SubscriptionRules({ ...admin, maxTypeLength: publish.maxTypeLength }, (ip) => guard.allows(ip)),
    new SubscriptionMapper(new Sealer(sealing.keys)),
    new HeldViews(positions, topics.eventsRetentionMs),
    new HealthViews(database, positions, clock, failing),
    clock,
    admin.maxSubscriptions,
  );
}
