import { EXPUNGED_PREFIX, expungedKey, TOPICS, type ExpungedRecord, type LogPosition } from '@hookline/contracts';
import { ProgressReader } from '@hookline/kafka';
import type { Admin, Kafka } from 'kafkajs';

/** The events whose payloads were taken out of the history, as the log was told. */
export async function readExpunged(kafka: Kafka, admin: Admin): Promise<ExpungedRecord[]> {
  // A cluster that was set up before there was this topic knows of none.
  if (!(await admin.listTopics()).includes(TOPICS.progress)) return [];
  const entries = await new ProgressReader<ExpungedRecord>(kafka, EXPUNGED_PREFIX).catchUp(admin);
  return [...entries.values()].map(({ record }) => record);
}

/** Whether an event is one of these. Where `hookline.events` was made anew, another one has the offset, and came at another time. */
export function isAmong(expunged: readonly ExpungedRecord[]): (position: LogPosition) => boolean {
  const known = new Map(expunged.map((record) => [expungedKey(record), record.at]));
  return (position) => known.get(expungedKey(position)) === position.at;
}
