import { TOPICS } from '@hookline/contracts';
import { waitUntil } from '@hookline/testing';
import { benchKafka } from './bench-kafka.js';
import type { Stage } from './stage.js';

const DEADLINE_MS = 180_000;

/**
 * Until admin-api has read every version of the subscriptions, and nobody learns of one late any more: what is published
 * before that it reads as well, to see who has matched it, and that would take its part of the machine.
 */
export async function untilNobodyLearnsLate(stage: Stage): Promise<void> {
  const admin = benchKafka(stage).admin();
  await admin.connect();
  try {
    const ends = await admin.fetchTopicOffsets(TOPICS.subscriptions);
    const areMadeUpFor = async (): Promise<boolean> => {
      const read = await stage.database.versionsRead();
      if (ends.some(({ partition, high }) => (read.get(partition) ?? 0) < Number(high))) return false;
      return (await stage.database.lateSlices()) === 0;
    };
    await waitUntil(areMadeUpFor, { deadlineMs: DEADLINE_MS, what: 'nobody to learn of a subscription late any more' });
  } finally {
    await admin.disconnect();
  }
}
