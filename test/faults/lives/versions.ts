import { decodeCompacted, GENESIS_KEY, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import type { Holding } from '@hookline/domain';
import { isLive } from '@hookline/domain';
import { RangeReader } from '@hookline/kafka';
import type { Site } from '../site/site.js';

/** The versions of a subscription as their topic has them, the latest first. @throws Error where there are none */
export async function versionsOf(site: Site, subscriptionId: string): Promise<Holding[]> {
  const bounds = await site.brokers.bounds(TOPICS.subscriptions);
  const ranges = bounds.map(({ partition, low, high }) => ({ partition, from: low, to: high }));
  let latest: SubscriptionRecord | undefined;
  for await (const { records } of new RangeReader(site.brokers.client).read(TOPICS.subscriptions, ranges)) {
    for (const { key, value } of records) {
      const name = String(key);
      if (value === null || name === GENESIS_KEY || name !== subscriptionId) continue;
      const record = decodeCompacted<SubscriptionRecord>(value);
      if (record.version > (latest?.version ?? 0)) latest = record;
    }
  }
  if (!latest) throw new Error(`${subscriptionId} is not in the topic of subscriptions`);
  const { version, types, holdsFrom, before = [] } = latest;
  return [{ version, live: isLive(latest), types, holdsFrom }, ...before];
}
