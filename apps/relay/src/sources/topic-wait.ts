import type { Clock, Logger } from '@hookline/platform';
import type { Kafka } from 'kafkajs';

/** Waits for a topic to come into being: a group that subscribes to one that is not there reads nothing, or makes it. */
export class TopicWait {
  private stopped = false;
  private wake: (() => void) | undefined;
  private found = 'its topic was not looked for yet';

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly pollMs: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Why it waits. */
  problem(): string {
    return this.found;
  }

  /** Resolves with true when the topic is there, with false when it was stopped before. */
  async exists(): Promise<boolean> {
    while (!this.stopped) {
      const found = await this.look();
      if (found === undefined) return true;
      if (found !== this.found) this.logger.warn({ topic: this.topic }, `a source waits: ${found}`);
      this.found = found;
      await this.pause();
    }
    return false;
  }

  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  /** @returns what is missing */
  private async look(): Promise<string | undefined> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      // Asked for by its name, a broker that makes topics by itself would make it.
      const topics = await admin.listTopics();
      return topics.includes(this.topic) ? undefined : `its topic ${this.topic} does not exist yet`;
    } catch (error) {
      return `its Kafka could not be asked for topic ${this.topic}: ${(error as Error).message}`;
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.stopped) return resolve();
      const cancel = this.clock.after(this.pollMs, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
