import { TOPICS } from '@hookline/contracts';
import {
  partitionKey,
  RangeReader,
  readKnown,
  TopicOffsets,
  type OffsetRange,
  type PartitionOffsets,
  type ReadRecord,
} from '@hookline/kafka';
import type { Kafka } from 'kafkajs';
import { laneTopics } from '../../../delivery/src/lanes/lane-topics.js';
import { OpenWork } from './open-work.js';
import type { PatientAdmin } from '../commands/patient-admin.js';
import type { Progress } from './progress.js';

/** What reconciling needs of it. */
export type LookedAt = Pick<SourceLog, 'bounds' | 'at' | 'lanes' | 'openWork' | 'each' | 'firstAt'>;

/** Kafka as reconciling reads it: nothing is committed, no group is joined. */
export class SourceLog {
  private readonly reader: RangeReader;

  constructor(
    kafka: Kafka,
    private readonly admin: PatientAdmin,
    private readonly progress: Progress,
  ) {
    this.reader = new RangeReader(kafka);
  }

  bounds(topic: string): Promise<PartitionOffsets[]> {
    return this.admin.ask((admin) => new TopicOffsets(admin).bounds(topic));
  }

  at(topic: string, time: number): Promise<Map<number, number>> {
    return this.admin.ask((admin) => new TopicOffsets(admin).at(topic, time));
  }

  async lanes(): Promise<string[]> {
    return laneTopics(await this.admin.ask((admin) => admin.listTopics()));
  }

  /** How far a group has come in these topics, by topic. One that stands past a topic's end reads it from its start. */
  async openWork(group: string, topics: readonly string[]): Promise<Map<string, OpenWork>> {
    const partitions = (await this.boundsOf(topics)).map(({ topic, partition }) => ({ topic, partition }));
    const known = await this.admin.ask((admin) => readKnown(admin, group, partitions, undefined));
    // Asked after the commits: under load these are past what ended before them.
    const bounds = await this.boundsOf(topics);
    return new Map(
      topics.map((topic) => {
        const its = bounds.filter((each) => each.topic === topic);
        const committed = its.map(({ partition, high }) => {
          const { watermark, above } = known.get(partitionKey(topic, partition)) ?? NOTHING;
          const isLost = watermark !== undefined && watermark > high;
          return [partition, isLost ? NOTHING_COMMITTED : { watermark, complete: above.complete }] as const;
        });
        return [topic, new OpenWork(new Map(committed))];
      }),
    );
  }

  /** Reads ranges of a topic, and tells how far it is. */
  async each(
    topic: string,
    ranges: readonly OffsetRange[],
    take: (record: ReadRecord) => void | Promise<void>,
  ): Promise<void> {
    const records = ranges.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
    if (records === 0) return;
    const step = this.progress.begin(`reading ${topic}`, records);
    const next = new Map(ranges.map(({ partition, from }) => [partition, from]));
    for await (const batch of this.reader.read(topic, ranges)) {
      for (const record of batch.records) {
        const taken = take(record);
        if (taken !== undefined) await taken;
      }
      step.add(batch.next - (next.get(batch.partition) ?? batch.next));
      next.set(batch.partition, batch.next);
    }
    step.end();
  }

  /** When the oldest record of a partition was appended, ms since the epoch; undefined where there is none. */
  async firstAt(topic: string, partition: number, low: number): Promise<number | undefined> {
    for await (const { records } of this.reader.read(topic, [{ partition, from: low, to: low + 1 }]))
      if (records[0] !== undefined) return records[0].timestamp;
    return undefined;
  }

  private async boundsOf(topics: readonly string[]): Promise<(PartitionOffsets & { topic: string })[]> {
    const all = await Promise.all(topics.map((topic) => this.bounds(topic)));
    return all.flatMap((bounds, i) => bounds.map((each) => ({ topic: topics[i] as string, ...each })));
  }

  /** Where `hookline.events` begins and ends, and what stands there at a time. */
  get events(): { bounds: () => Promise<PartitionOffsets[]>; at: (time: number) => Promise<Map<number, number>> } {
    return { bounds: () => this.bounds(TOPICS.events), at: (time) => this.at(TOPICS.events, time) };
  }
}

const NOTHING_COMMITTED = { watermark: undefined, complete: [] };
const NOTHING = { watermark: undefined, above: NOTHING_COMMITTED };
