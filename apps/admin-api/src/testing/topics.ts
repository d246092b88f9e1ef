import { EVENTS_GROUP, TOPICS } from '@hookline/contracts';
import { RangeReader, TopicOffsets, type ReadRecord } from '@hookline/kafka';
import { createTopics, testKafkaBrokers } from '@hookline/testing';
import { Kafka, logLevel, type Producer } from 'kafkajs';

export function testKafka(): Kafka {
  return new Kafka({
    clientId: 'admin-api-test',
    brokers: testKafkaBrokers(),
    connectionTimeout: 10_000,
    logLevel: logLevel.NOTHING,
  });
}

/** Connected; nothing that a test itself writes is there twice. */
export async function testProducer(): Promise<Producer> {
  const producer = testKafka().producer({ idempotent: true });
  await producer.connect();
  return producer;
}

/** Those that admin-api needs, where they are not there. Others may use them too: tests tell their own by id. */
export async function makeTopics(): Promise<void> {
  const admin = testKafka().admin();
  await admin.connect();
  const appendTime = { name: 'message.timestamp.type', value: 'LogAppendTime' };
  const compacted = { name: 'cleanup.policy', value: 'compact' };
  await createTopics(admin, [
    { topic: TOPICS.events, numPartitions: 3, configEntries: [appendTime] },
    { topic: TOPICS.deliveries, numPartitions: 3, configEntries: [appendTime] },
    { topic: TOPICS.replays, numPartitions: 3, configEntries: [appendTime] },
    { topic: TOPICS.deadLetters, numPartitions: 3, configEntries: [appendTime] },
    { topic: TOPICS.attempts, numPartitions: 2, configEntries: [appendTime] },
    { topic: TOPICS.subscriptions, numPartitions: 1, configEntries: [appendTime, compacted] },
    { topic: TOPICS.credentials, numPartitions: 1, configEntries: [appendTime, compacted] },
    { topic: TOPICS.progress, numPartitions: 1, configEntries: [appendTime, compacted] },
  ]);
  await admin.disconnect();
}

export async function endOffsets(topic: string): Promise<Map<number, number>> {
  const admin = testKafka().admin();
  await admin.connect();
  const bounds = await new TopicOffsets(admin).bounds(topic);
  await admin.disconnect();
  return new Map(bounds.map(({ partition, high }) => [partition, high]));
}

/** As if delivery workers were through with all events that there are: no test here has real ones. */
export async function workersAreThrough(): Promise<void> {
  const ends = [...(await endOffsets(TOPICS.events))];
  const partitions = ends.map(([partition, offset]) => ({ partition, offset: String(offset) }));
  const admin = testKafka().admin();
  await admin.connect();
  await admin.setOffsets({ groupId: EVENTS_GROUP, topic: TOPICS.events, partitions });
  await admin.disconnect();
}

/** What the topic has from these offsets on, in the order of each partition. */
export async function readFrom(topic: string, from: ReadonlyMap<number, number>): Promise<ReadRecord[]> {
  const ranges = [...(await endOffsets(topic))].map(([partition, to]) => ({
    partition,
    from: from.get(partition) ?? 0,
    to,
  }));
  const records: ReadRecord[] = [];
  for await (const batch of new RangeReader(testKafka()).read(topic, ranges)) records.push(...batch.records);
  return records;
}
