import { decodeProgress, TOPICS, UnreadableRecord, type ProgressRecord } from '@hookline/contracts';
import type { Admin, Kafka } from 'kafkajs';
import { RangeReader } from '../reader/range-reader.js';
import { TopicOffsets } from '../reader/topic-offsets.js';

/** A value of the topic, and when it was written, ms since the epoch. */
export interface ProgressEntry<T extends ProgressRecord> {
  readonly record: T;
  readonly at: number;
}

/** What `hookline.progress` says under the keys with one prefix; read on from where it was read to before. */
export class ProgressReader<T extends ProgressRecord> {
  private readonly entries = new Map<string, ProgressEntry<T>>();
  private next = 0;
  private running: Promise<unknown> = Promise.resolve();

  /** @param topic another one than `hookline.progress` only in tests */
  constructor(
    private readonly kafka: Kafka,
    private readonly prefix: string,
    private readonly topic: string = TOPICS.progress,
  ) {}

  /**
   * Reads up to the end that the topic has now.
   * @param admin connected
   * @throws the signal's reason; what kafkajs throws where the topic can't be reached
   */
  catchUp(admin: Admin, signal?: AbortSignal): Promise<ReadonlyMap<string, ProgressEntry<T>>> {
    // One after the other: two at a time could end with what the slower one read.
    const turn = this.running.then(() => this.read(admin, signal));
    this.running = turn.catch(() => undefined);
    return turn;
  }

  private async read(admin: Admin, signal?: AbortSignal): Promise<ReadonlyMap<string, ProgressEntry<T>>> {
    const [bounds] = await new TopicOffsets(admin).bounds(this.topic);
    const { low = 0, high = 0 } = bounds ?? {};
    if (high < this.next) this.forget();
    const from = Math.max(low, this.next);
    for await (const { records, next } of new RangeReader(this.kafka).read(
      this.topic,
      [{ partition: 0, from, to: high }],
      signal,
    )) {
      for (const { key, value, timestamp } of records) this.take(String(key), value, timestamp);
      this.next = next;
    }
    return this.entries;
  }

  /** The topic was made anew. */
  private forget(): void {
    this.entries.clear();
    this.next = 0;
  }

  private take(key: string, value: Buffer | null, at: number): void {
    if (!key.startsWith(this.prefix)) return;
    try {
      if (value === null) this.entries.delete(key);
      else this.entries.set(key, { record: decodeProgress<T>(value), at });
    } catch (error) {
      // Of a newer release: what it says is not known here, and what was known before no longer holds.
      if (!(error instanceof UnreadableRecord)) throw error;
      this.entries.delete(key);
    }
  }
}
