import type { Admin, ITopicConfig } from 'kafkajs';
import { waitUntil } from './wait-until.js';

/**
 * Makes the topics that are missing, and waits until each partition has a leader that knows it: where one of them refuses,
 * kafkajs sends again what the others have taken, and a test has records that it never sent. kafkajs' own
 * `waitForLeaders` asks any broker at once, and fails where that one has not heard of the topic yet.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics });
  const names = topics.map(({ topic }) => topic);
  await waitUntil(
    async () => {
      const { topics: made } = await admin.fetchTopicMetadata({ topics: names });
      if (!made.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)))
        return false;
      // Answered by the leaders.
      await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
      return true;
    },
    { deadlineMs: 60_000, what: `leaders of ${names.join(', ')}` },
  );
}
