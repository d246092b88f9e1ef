import { decodeCompacted, GENESIS_KEY, readable, type Versioned } from '@hookline/contracts';
import { RangeReader, TopicOffsets } from '@hookline/kafka';
import type { FoundRecord } from '@hookline/persistence';
import { Refusal } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';

/** What a compacted topic says of each key, in its highest version; records that can't be read are counted. */
export interface CompactedTopic<T> {
  records: FoundRecord<T>[];
  unreadable: number;
}

/** @throws Refusal where the topic isn't there, or has no beginning: it isn't ours, or was lost */
export async function readCompacted<T extends Versioned & { id: string }>(
  kafka: Kafka,
  admin: Admin,
  topic: string,
): Promise<CompactedTopic<T>> {
  if (!(await admin.listTopics()).includes(topic)) throw notOurs(topic, 'is not there');
  const [bounds] = await new TopicOffsets(admin).bounds(topic);
  const latest = new Map<string, FoundRecord<T>>();
  let genesis = false;
  let unreadable = 0;
  const { low = 0, high = 0 } = bounds ?? {};
  for await (const { records } of new RangeReader(kafka).read(topic, [{ partition: 0, from: low, to: high }]))
    for (const { key, value, timestamp } of records) {
      const id = String(key);
      if (id === GENESIS_KEY) genesis = true;
      else if (value === null) latest.delete(id);
      else {
        const record = recordOf<T>(value, id);
        if (record === undefined) unreadable += 1;
        else if (record.version >= (latest.get(id)?.record.version ?? 0))
          latest.set(id, { record, at: new Date(timestamp) });
      }
    }
  if (!genesis) throw notOurs(topic, 'has no genesis record');
  return { records: [...latest.values()], unreadable };
}

function recordOf<T extends Versioned & { id: string }>(value: Buffer, id: string): T | undefined {
  const record = readable(() => decodeCompacted<T>(value));
  return record?.id === id ? record : undefined;
}

const notOurs = (topic: string, why: string): Refusal =>
  new Refusal(
    `${topic} ${why}: these are not Hookline's topics, or they were lost. Nothing was written. Look at KAFKA_BROKERS.`,
  );
