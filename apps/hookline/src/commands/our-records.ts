import { decodeCompacted, decodeEventHeaders, GENESIS_KEY, readable, TOPICS } from '@hookline/contracts';
import { RangeReader, TopicOffsets, type ReadRecord } from '@hookline/kafka';
import { Refusal } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';

/** Records of a partition that are looked at: one that can't be read among them says nothing yet. */
const SAMPLE = 20;

/** How each topic's records are read that Hookline would go on from. */
const FORMATS: Readonly<Record<string, (record: ReadRecord) => unknown>> = {
  [TOPICS.events]: ({ headers }) => decodeEventHeaders(headers),
  [TOPICS.subscriptions]: compacted,
  [TOPICS.credentials]: compacted,
};

function compacted({ key, value }: ReadRecord): unknown {
  return String(key) === GENESIS_KEY || value === null || decodeCompacted(value);
}

/**
 * Looks at the first records of the topics that are there, before anything is made or written.
 * @throws Refusal where a topic has records and not one of them is Hookline's: they are somebody else's
 */
export async function assertOurRecords(kafka: Kafka, admin: Admin): Promise<void> {
  const existing = await admin.listTopics();
  for (const [topic, read] of Object.entries(FORMATS)) {
    if (!existing.includes(topic)) continue;
    const found = await firstOf(kafka, admin, topic);
    if (found.length > 0 && found.every((record) => readable(() => read(record) ?? true) === undefined))
      throw new Refusal(
        `${topic} has records, and those that were looked at (${found.length}) are not Hookline's, or are a newer release's. Nothing was written. Look at KAFKA_BROKERS, or take those topics away.`,
      );
  }
}

async function firstOf(kafka: Kafka, admin: Admin, topic: string): Promise<ReadRecord[]> {
  const bounds = await new TopicOffsets(admin).bounds(topic);
  const ranges = bounds.map(({ partition, low, high }) => ({ partition, from: low, to: Math.min(high, low + SAMPLE) }));
  const found: ReadRecord[] = [];
  for await (const { records } of new RangeReader(kafka).read(topic, ranges)) found.push(...records);
  return found;
}
