import type { Clock } from '@hookline/platform';
import type { Admin, ITopicMetadata, Kafka } from 'kafkajs';
import type { KafkaLogger } from '../client.js';
import { faultOf } from './send-fault.js';
import { atMost, inTime, pause } from './waiting.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
const GOODBYE_MS = 5_000;
const LOOK_MS = 5_000;

/** The leader of each partition, by partition number; −1 while there is none. */
export type Leaders = readonly number[];

/**
 * Who leads what. Looks again now and then, and whenever somebody has reason to think that it has changed; looks
 * that are asked for while one is under way become one more.
 */
export class TopicLayout {
  private readonly topics = new Set<string>();
  private admin: Admin | undefined;
  private failures = 0;
  private looking = false;
  private again = false;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly clock: Clock,
    private readonly logger: KafkaLogger,
    private readonly refreshMs: number,
    private readonly stopped: AbortSignal,
    private readonly onLeaders: (topic: string, leaders: Leaders) => void,
  ) {}

  /** From now on this topic is looked up. */
  add(topic: string): void {
    if (this.topics.has(topic)) return;
    this.topics.add(topic);
    this.refresh();
  }

  refresh(): void {
    this.again = true;
    if (!this.looking) void this.look();
  }

  async close(): Promise<void> {
    this.cancelTimer();
    await this.leave();
  }

  private async look(): Promise<void> {
    this.looking = true;
    this.cancelTimer();
    while (this.again && !this.stopped.aborted) {
      this.again = false;
      this.failures = (await this.fetchAll()) ? 0 : this.failures + 1;
      if (this.failures === 0) continue;
      this.again = true;
      const wait = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures - 1, 10), LONGEST_PAUSE_MS);
      await pause(this.clock, wait, this.stopped);
    }
    this.looking = false;
    if (!this.stopped.aborted) this.cancelTimer = this.clock.after(this.refreshMs, () => this.refresh());
  }

  /** One topic that can't be read spoils the answer for all: then each is asked for alone. */
  private async fetchAll(): Promise<boolean> {
    const topics = [...this.topics];
    if (topics.length === 0 || (await this.fetch(topics))) return true;
    let complete = topics.length > 1;
    if (topics.length > 1) for (const topic of topics) if (!(await this.fetch([topic]))) complete = false;
    return complete;
  }

  private async fetch(topics: string[]): Promise<boolean> {
    try {
      const answer = await inTime(this.clock, LOOK_MS, this.ask(topics), 'no answer');
      for (const { name, partitions } of answer.topics) {
        const leaders: number[] = [];
        for (const { partitionId, leader } of partitions) leaders[partitionId] = leader;
        this.onLeaders(name, leaders);
      }
      return true;
    } catch (error) {
      const fault = faultOf(error);
      if (this.failures === 0) this.logger.warn({ topics, fault: fault.name }, `no leaders yet: ${fault.message}`);
      // It may hang on a broker that says nothing; the next one begins at another.
      if (fault.kind === 'reconnect') void this.leave();
      return false;
    }
  }

  private async ask(topics: string[]): Promise<{ topics: ITopicMetadata[] }> {
    let { admin } = this;
    if (!admin) {
      admin = this.kafka.admin({ retry: { retries: 1, initialRetryTime: 50 } });
      this.admin = admin;
      await admin.connect();
      // It took so long that it was given up.
      if (this.admin !== admin) await admin.disconnect();
    }
    return admin.fetchTopicMetadata({ topics });
  }

  private async leave(): Promise<void> {
    const { admin } = this;
    this.admin = undefined;
    if (admin)
      await atMost(
        this.clock,
        GOODBYE_MS,
        admin.disconnect().catch(() => undefined),
      );
  }
}
