import { agedOutKey, encodeProgress, TOPICS, type AgedOutRecord } from '@hookline/contracts';
import type { AgedOut, Output } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';

const WRITE_MS = 10_000;

/** The append time of the record at an offset, ms since the epoch; undefined where there is none. */
export type AppendTimeAt = (topic: string, partition: number, offset: number) => Promise<number | undefined>;

/** Every age-out that was ever written down. */
export type ToldAgeOuts = () => Promise<Iterable<AgedOutRecord>>;

/**
 * Writes down what the log let go of before it was read, in `hookline.progress`: there it outlives the worker, it can be
 * read, and admin-api sees to it that the deliveries concerned are made again.
 */
export class AgedOutReports {
  constructor(
    private readonly output: Output,
    private readonly appendTimeAt: AppendTimeAt,
    private readonly told: ToldAgeOuts,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * Resolves when it is durable.
   * @returns what of it was not written down before; undefined where nothing is new
   * @throws NotDurable; whatever keeps what was written down from being read
   */
  async report(
    group: string,
    gap: AgedOut,
    { low, high }: { low: number; high: number },
  ): Promise<AgedOut | undefined> {
    const { topic, partition, to, since } = gap;
    const from = Math.max(gap.from, await this.toldUpTo(group, gap));
    if (from >= to) return undefined;
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
    return { ...gap, from };
  }

  /**
   * Where another owner ended that has found the same, and went before anything was committed or witnessed behind it: what it
   * told is told, and what it left out was complete, though nobody remembers that any more. What was witnessed later says that
   * the group had been further since; then it is another age-out, maybe of a topic that was made anew.
   */
  private async toldUpTo(group: string, { topic, partition, since }: AgedOut): Promise<number> {
    const ends = [...(await this.told())]
      .filter((told) => told.group === group && told.topic === topic && told.partition === partition)
      .filter(({ foundAt }) => since === undefined || since <= foundAt)
      .map(({ to }) => to);
    return Math.max(0, ...ends);
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
