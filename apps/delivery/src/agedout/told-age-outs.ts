import { AGED_OUT_PREFIX, TOPICS, type AgedOutRecord } from '@hookline/contracts';
import { ProgressReader } from '@hookline/kafka';
import type { Kafka } from 'kafkajs';
import type { ToldAgeOuts } from './aged-out-reports.js';
import { sharedTurns } from './shared-turns.js';

const READ_MS = 10_000;

/**
 * As `hookline.progress` has them; read on from where it was read to before. After a long outage each partition has its gaps,
 * and all ask at the same time: they share a request.
 */
export function toldAgeOuts(kafka: Kafka): ToldAgeOuts {
  const reader = new ProgressReader<AgedOutRecord>(kafka, AGED_OUT_PREFIX);
  return sharedTurns(async () => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      if (!(await admin.listTopics()).includes(TOPICS.progress)) return [];
      const entries = await reader.catchUp(admin, AbortSignal.timeout(READ_MS));
      return [...entries.values()].map(({ record }) => record);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  });
}
