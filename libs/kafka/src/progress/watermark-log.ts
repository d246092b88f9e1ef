import { encodeProgress, TOPICS, WATERMARK_PREFIX, watermarkKey, type WatermarkRecord } from '@hookline/contracts';
import type { Admin, Kafka } from 'kafkajs';
import type { ProgressWitness, Witnessed } from '../consumer/runner-options.js';
import type { Output } from '../producer/output.js';
import { ProgressReader } from './progress-reader.js';

/** A watermark that is not written within this is written the next time; ms. */
const WRITE_MS = 10_000;

/** The watermarks of one group in `hookline.progress`. */
export class WatermarkLog implements ProgressWitness {
  private readonly prefix: string;
  private readonly reader: ProgressReader<WatermarkRecord>;

  /** @param topic another one than `hookline.progress` only in tests */
  constructor(
    kafka: Kafka,
    private readonly output: Output,
    private readonly group: string,
    private readonly topic: string = TOPICS.progress,
  ) {
    this.prefix = `${WATERMARK_PREFIX}${group}/`;
    this.reader = new ProgressReader(kafka, this.prefix, topic);
  }

  async read(admin: Admin): Promise<ReadonlyMap<string, Witnessed>> {
    const witnessed = new Map<string, Witnessed>();
    // What follows the prefix is a partition's key, as of partitionKey().
    for (const [key, { record, at }] of await this.reader.catchUp(admin))
      witnessed.set(key.slice(this.prefix.length), { watermark: record.watermark, at });
    return witnessed;
  }

  async write(topic: string, partition: number, watermark: number): Promise<void> {
    const key = watermarkKey({ group: this.group, topic, partition });
    const value = encodeProgress({ v: 1, watermark });
    await this.output.produce({ topic: this.topic, key, value }, WRITE_MS);
  }
}
