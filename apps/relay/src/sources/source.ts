import type { ConsumerConfig, PublishConfig, SourcesConfig } from '@hookline/config';
import { consumerOptions, OffsetRunner, type LogRecord, type Output } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import { DeadLetters } from './dead-letters.js';
import type { SourceDefinition } from './definition.js';
import { OrderedFeed } from './ordered-feed.js';
import type { SourceMetrics } from './source-metrics.js';
import { SourceReader } from './source-reader.js';
import { TopicWait } from './topic-wait.js';

/** A source is a consumer group of its own: under another name it is read from its beginning. */
export const sourceGroup = (name: string): string => `hookline.source.${name}`;

export interface SourceParts {
  /** The cluster of the source's topic. */
  kafka: Kafka;
  /** Where events and dead letters go. */
  output: Output;
  publish: PublishConfig;
  consumer: ConsumerConfig;
  sources: Pick<SourcesConfig, 'maxInFlight' | 'topicPollMs'>;
  clock: Clock;
  logger: Logger;
  metrics: SourceMetrics;
  drainMs: number;
}

/** Reads one topic of a producer into `hookline.events`; its offsets pass only what is acknowledged there. */
export class Source {
  readonly name: string;
  private readonly reader: SourceReader;
  private readonly feed: OrderedFeed;
  private readonly deadLetters: DeadLetters;
  private readonly wait: TopicWait;
  private runner: OffsetRunner | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly definition: SourceDefinition,
    private readonly parts: SourceParts,
  ) {
    const { output, clock, logger, publish, kafka, sources } = parts;
    this.name = definition.name;
    this.reader = new SourceReader(definition, publish);
    this.deadLetters = new DeadLetters(output, clock);
    this.feed = new OrderedFeed(output, (assignment) => this.runner?.isOwner(assignment) === true, clock, logger);
    this.wait = new TopicWait(kafka, definition.topic, sources.topicPollMs, clock, logger);
  }

  /** Waits for the topic and then reads it, all of that behind the scenes. */
  start(): void {
    void this.wait.exists().then((there) => {
      if (!there || this.stopped) return;
      this.runner = this.newRunner();
      void this.runner.start();
    });
  }

  /** Takes nothing more, waits for what is in flight, commits and leaves the group; safe to call twice. */
  drain(): Promise<void> {
    this.wait.stop();
    return (this.stopped ??= this.runner?.stop() ?? Promise.resolve());
  }

  liveness(): string | undefined {
    const { ok, problems } = this.runner?.health() ?? { ok: true, problems: [] };
    return ok ? undefined : `source ${this.name}: ${problems.join('; ')}`;
  }

  readiness(): string | undefined {
    const problem = this.problem();
    return problem && `source ${this.name}: ${problem}`;
  }

  /** Records that are not acknowledged yet, of the partitions that are read here. */
  lag(): number {
    const { partitions } = this.runner?.stats() ?? { partitions: [] };
    return partitions.reduce((sum, { watermark, highWatermark }) => sum + Math.max(0, highWatermark - watermark), 0);
  }

  private problem(): string | undefined {
    if (this.runner === undefined) return this.wait.problem();
    if (!this.runner.leaseValid()) return 'not in its consumer group yet, or not any more';
    return this.feed.problem();
  }

  private newRunner(): OffsetRunner {
    const { kafka, consumer, sources, clock, logger, metrics, drainMs } = this.parts;
    return new OffsetRunner({
      ...consumerOptions(consumer),
      kafka,
      groupId: sourceGroup(this.name),
      topics: [this.definition.topic],
      clock,
      logger,
      drainMs,
      maxInFlightTotal: sources.maxInFlight,
      handler: (records) => records.map((record) => this.take(record)),
      observer: { agedOut: ({ from, to }) => metrics.agedOut(this.name, to - from) },
    });
  }

  /** Never rejects for what is wrong with the record: tried again behind its successors, it would lose its place. */
  private take(record: LogRecord): Promise<void> {
    const { metrics } = this.parts;
    const { assignment, offset } = record;
    let event;
    try {
      event = this.reader.read(record);
    } catch (error) {
      return this.refuse(record, error as Error);
    }
    return this.feed.send(assignment, offset, event).then(() => metrics.taken(this.name));
  }

  private async refuse(record: LogRecord, error: Error): Promise<void> {
    const { metrics, logger } = this.parts;
    const { topic, partition, offset, assignment } = record;
    await this.deadLetters.write(this.definition, record, error.message, assignment.signal);
    metrics.refused(this.name);
    logger.warn(
      { source: this.name, topic, partition, offset, detail: error.message },
      'a record is no event: it is in the dead letters',
    );
  }
}
