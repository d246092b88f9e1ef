import { TopicOffsets, type PartitionOffsets } from '@hookline/kafka';
import type { Kafka } from 'kafkajs';
import { unavailable } from '../http/problems.js';

/** Where a topic begins and ends, for requests: connected when it is first needed, each answer with a deadline. */
export class LogOffsets {
  private readonly admin: ReturnType<Kafka['admin']>;
  private readonly offsets: TopicOffsets;
  private connecting: Promise<void> | undefined;

  constructor(
    kafka: Kafka,
    private readonly timeoutMs: number,
  ) {
    this.admin = kafka.admin();
    this.offsets = new TopicOffsets(this.admin);
  }

  /** @throws ProblemError 503 */
  bounds(topic: string): Promise<PartitionOffsets[]> {
    return this.bounded(() => this.offsets.bounds(topic));
  }

  /**
   * @param timestamp ms since the epoch
   * @throws ProblemError 503
   */
  at(topic: string, timestamp: number): Promise<Map<number, number>> {
    return this.bounded(() => this.offsets.at(topic, timestamp));
  }

  /**
   * What a group has done of a topic, by partition: everything below.
   * @throws ProblemError 503
   */
  committed(groupId: string, topic: string): Promise<Map<number, number>> {
    return this.bounded(async () => {
      const [found] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
      // −1 where nothing was ever committed.
      return new Map(found?.partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
    });
  }

  async close(): Promise<void> {
    await this.connecting?.catch(() => undefined);
    await this.admin.disconnect();
  }

  private connected(): Promise<void> {
    this.connecting ??= this.admin.connect().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async bounded<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.timeoutMs} ms`)), this.timeoutMs);
    });
    const working = this.connected().then(work);
    working.catch(() => undefined);
    try {
      return await Promise.race([working, late]);
    } catch (error) {
      throw unavailable('kafka', error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}
