import { agedOutKey, encodeProgress, TOPICS, type AgedOutRecord } from '@hookline/contracts';
import type { AgedOut, Output } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';

const WRITE_MS = 10_000;

/** The append time of the record at an offset, ms since the epoch; undefined where there is none. */
export type AppendTimeAt = (topic: string, partition: number, offset: number) => Promise<number | undefined>;

/**
 * Writes down what the log let go of before it was read, in `hookline.progress`: there it outlives the worker, it can be
 * read, and admin-api sees to it that the deliveries concerned are made again.
 */
export class AgedOutReports {
  constructor(
    private readonly output: Output,
    private readonly appendTimeAt: AppendTimeAt,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Resolves when it is durable. @throws NotDurable */
  async report(
    group: string,
    { topic, partition, from, to, since }: AgedOut,
    { low, high }: { low: number; high: number },
  ): Promise<void> {
    const until = low < high ? await this.firstLeft(topic, partition, low) : undefined;
    const record: AgedOutRecord = {
      v: 1,
      group,
      topic,
      partition,
      from,
      to,
      foundAt: this.clock.now(),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      state: 'found',
    };
    await this.output.produce(
      { topic: TOPICS.progress, key: agedOutKey(record), value: encodeProgress(record) },
      WRITE_MS,
    );
  }

  /** When what is left begins: good to know, and nothing waits for it. */
  private async firstLeft(topic: string, partition: number, offset: number): Promise<number | undefined> {
    try {
      return await this.appendTimeAt(topic, partition, offset);
    } catch (error) {
      this.logger.warn({ err: error, topic, partition, offset }, 'the start of the log could not be dated');
      return undefined;
    }
  }
}
