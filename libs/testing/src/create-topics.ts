import type { Admin, ITopicConfig } from 'kafkajs';
import { waitUntil } from './wait-until.js';

/**
 * Makes the topics that are missing, and waits until each partition has a leader. kafkajs' own `waitForLeaders` asks
 * any broker at once, and fails where that one has not heard of the topic yet.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics });
  const names = topics.map(({ topic }) => topic);
  await waitUntil(
    async () => {
      const { topics: made } = await admin.fetchTopicMetadata({ topics: names });
      return made.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));
    },
    { deadlineMs: 60_000, what: `leaders of ${names.join(', ')}` },
  );
}
