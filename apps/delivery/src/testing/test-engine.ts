import { deliverySection, loadConfig, type DeliveryConfig } from '@hookline/config';
import { Metrics, silentLogger } from '@hookline/platform';
import { DeliveryEngine, type EngineParts } from '../engine.js';
import { DeliveryMetrics } from '../metrics.js';
import { testSealer } from './guests.js';

interface Told extends Pick<EngineParts, 'client' | 'output' | 'clock'> {
  /** What differs from the defaults. */
  settings?: Partial<DeliveryConfig>;
  isOwner?: () => boolean;
  /** Whether it owns the subscriptions; where that isn't said, as it does its records. */
  ownsSubscription?: () => boolean;
  lanePartitionOf?: (subscriptionId: string) => number;
  metrics?: Metrics;
}

/** An engine without Kafka; where nothing else is said, that of the only worker, which owns everything. */
export function testEngine({
  settings,
  isOwner = () => true,
  ownsSubscription = isOwner,
  lanePartitionOf = () => 0,
  metrics = new Metrics('delivery'),
  ...told
}: Told): DeliveryEngine {
  const { delivery } = loadConfig({ delivery: deliverySection }, {});
  return new DeliveryEngine({
    ...told,
    settings: { ...delivery, ...settings },
    sealer: testSealer,
    logger: silentLogger,
    metrics: new DeliveryMetrics(metrics, told.clock),
    owns: { event: isOwner, lane: isOwner },
    leaseMs: 0,
    readLane: async function* () {},
    laneEnd: async () => 0,
    share: { workers: () => 1, isOwner: ownsSubscription, lanePartitionOf },
  });
}
