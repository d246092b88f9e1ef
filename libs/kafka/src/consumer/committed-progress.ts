import { decodeOffsetMetadata, type OffsetProgress } from '@hookline/domain';
import type { Admin } from 'kafkajs';
import { notLed, TopicOffsets } from '../reader/topic-offsets.js';
import { partitionKey, type PositionStore } from './runner-options.js';

/** What is known of a partition before it is read. */
export interface Known {
  /** The first offset that isn't known to be complete; undefined where nothing was ever committed. */
  watermark: number | undefined;
  /** What is complete above the watermark. */
  above: OffsetProgress;
  /** The first offset that the log still has. */
  low: number;
  /** The offset that the next record gets. */
  high: number;
}

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What the partitions' progress is, and what the log has of them, by {@link partitionKey}. */
export async function readKnown(
  admin: Admin,
  groupId: string,
  partitions: readonly TopicPartition[],
  positions: PositionStore | undefined,
): Promise<Map<string, Known>> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  const offsets = new TopicOffsets(admin);
  const [progress, ...bounds] = await Promise.all([
    positions ? fromStore(positions, partitions) : fromKafka(admin, groupId, topics),
    ...topics.map((topic) => offsets.bounds(topic)),
  ]);
  const known = new Map<string, Known>();
  for (const { topic, partition } of partitions) {
    const bound = bounds[topics.indexOf(topic)]?.find((each) => each.partition === partition);
    if (bound === undefined) throw notLed(`the log's bounds of ${topic}/${partition} are not known`);
    const key = partitionKey(topic, partition);
    const { watermark, above } = progress.get(key) ?? { watermark: undefined, above: NOTHING };
    known.set(key, { watermark, above, low: bound.low, high: bound.high });
  }
  return known;
}

const NOTHING: OffsetProgress = { complete: [], remainders: [] };

type Progress = Map<string, Pick<Known, 'watermark' | 'above'>>;

async function fromKafka(admin: Admin, groupId: string, topics: string[]): Promise<Progress> {
  const progress: Progress = new Map();
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics, resolveOffsets: false })) {
    for (const { partition, offset, metadata } of partitions) {
      const watermark = Number(offset);
      // −1: nothing committed; −2: what kafkajs writes in an age-out. Neither says anything.
      if (watermark < 0) continue;
      progress.set(partitionKey(topic, partition), { watermark, above: decodeOffsetMetadata(watermark, metadata) });
    }
  }
  return progress;
}

async function fromStore(positions: PositionStore, partitions: readonly TopicPartition[]): Promise<Progress> {
  const found = await positions.read(partitions);
  return new Map([...found].map(([key, watermark]) => [key, { watermark, above: NOTHING }]));
}
