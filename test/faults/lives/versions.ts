import { decodeCompacted, GENESIS_KEY, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import type { Holding } from '@hookline/domain';
import { isLive } from '@hookline/domain';
import { RangeReader } from '@hookline/kafka';
import type { Site } from '../site/site.js';

/**
 * The versions of a subscription, the latest first: of each what the last record that has it says. A record names only those
 * before it from which the log still has something.
 * @throws Error where there are none
 */
export async function versionsOf(site: Site, subscriptionId: string): Promise<Holding[]> {
  const bounds = await site.brokers.bounds(TOPICS.subscriptions);
  const ranges = bounds.map(({ partition, low, high }) => ({ partition, from: low, to: high }));
  const versions = new Map<number, Holding>();
  for await (const { records } of new RangeReader(site.brokers.client).read(TOPICS.subscriptions, ranges)) {
    for (const { key, value } of records) {
      const name = String(key);
      if (value === null || name === GENESIS_KEY || name !== subscriptionId) continue;
      const record = decodeCompacted<SubscriptionRecord>(value);
      const { version, types, holdsFrom, before = [] } = record;
      for (const each of [...before, { version, live: isLive(record), types, holdsFrom }])
        versions.set(each.version, each);
    }
  }
  if (versions.size === 0) throw new Error(`${subscriptionId} is not in the topic of subscriptions`);
  return [...versions.values()].sort((a, b) => b.version - a.version);
}
