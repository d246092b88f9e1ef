import { EXPUNGED_PREFIX, TOPICS, type ExpungedRecord } from '@hookline/contracts';
import { ProgressReader } from '@hookline/kafka';
import type { Admin, Kafka } from 'kafkajs';

/** The events whose payloads were taken out of the history, as the log was told. */
export async function readExpunged(kafka: Kafka, admin: Admin): Promise<ExpungedRecord[]> {
  // A cluster that was set up before there was this topic knows of none.
  if (!(await admin.listTopics()).includes(TOPICS.progress)) return [];
  const entries = await new ProgressReader<ExpungedRecord>(kafka, EXPUNGED_PREFIX).catchUp(admin);
  return [...entries.values()].map(({ record }) => record);
}
