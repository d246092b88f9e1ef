import type { ConsumerConfig, DeliveryConfig, KafkaConfig, PumpConfig } from '@hookline/config';
import { EVENTS_GROUP, LANES_GROUP, retryDelayOf, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import type { Sealer } from '@hookline/domain';
import { EndpointClient } from '@hookline/http-delivery';
import {
  appendTimeOf,
  brokersInTurn,
  CompactedView,
  consumerOptions,
  createKafka,
  observeView,
  ProducerPump,
  PumpMetrics,
  RangeReader,
  TopicFollower,
  WatermarkLog,
  type BatchHandler,
  type LogClock,
  type LogTransportGroup,
  type OffsetRunner,
} from '@hookline/kafka';
import { systemClock, type Logger, type Metrics } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import { AgedOutReports } from './agedout/aged-out-reports.js';
import { toldAgeOuts } from './agedout/told-age-outs.js';
import { DeliveryEngine } from './engine.js';
import { dedupeLookBack } from './intake/look-back.js';
import { existingLanes } from './lanes/existing-lanes.js';
import { mayRest } from './lanes/lane-topics.js';
import { LaneShare } from './lanes/share.js';
import { LogTime } from './log-time.js';
import { DeliveryMetrics } from './metrics.js';
import { laneEndOf } from './ordering/lane-end.js';
import { recordsIn } from './subscriptions/records-in.js';
import { ViewGate } from './subscriptions/view-gate.js';

export interface WorkerParts {
  kafka: KafkaConfig;
  pump: PumpConfig;
  consumer: ConsumerConfig;
  delivery: DeliveryConfig;
  sealer: Sealer;
  clock: LogClock;
  logger: Logger;
  metrics: Metrics;
  drainMs: number;
}

interface Running {
  events: OffsetRunner;
  lanes: OffsetRunner;
  gate: ViewGate;
}

/**
 * The delivery worker's life: the view of the subscriptions first, then the two consumer groups; and back. Someone else
 * runs the groups, and brings their records to {@link events} and {@link lanes}.
 */
export class DeliveryWorker {
  private readonly kafka: Kafka;
  private readonly view: CompactedView<SubscriptionRecord>;
  private readonly words: TopicFollower;
  private readonly pump: ProducerPump;
  private readonly logTime: LogTime;
  private readonly client: EndpointClient;
  private readonly engine: DeliveryEngine;
  private readonly counts: DeliveryMetrics;
  private readonly agedOut: AgedOutReports;
  private running: Running | undefined;
  /** How many each lane has; known before anything is taken in. */
  private lanePartitions = 1;
  private stopping = false;

  constructor(private readonly parts: WorkerParts) {
    const { clock, logger, metrics, delivery } = parts;
    const options = { role: 'delivery', logger };
    this.kafka = createKafka(parts.kafka, options);
    this.counts = new DeliveryMetrics(metrics, clock);
    this.client = new EndpointClient({
      ...delivery,
      keepBytes: delivery.responseBodyBytes,
      readBytes: delivery.responseReadBytes,
    });
    this.pump = new ProducerPump(
      { kafka: this.kafka, clock, logger, observer: new PumpMetrics(metrics), onAppended: clock.learn },
      { ...parts.pump, maxBufferedBytes: delivery.maxBufferedBytes, gatherMs: delivery.outcomeIntervalMs },
    );
    this.agedOut = new AgedOutReports(this.pump, this.appendTimeAt, toldAgeOuts(this.kafka), clock, logger);
    this.logTime = new LogTime(this.pump, clock);
    this.engine = new DeliveryEngine({
      settings: delivery,
      sealer: parts.sealer,
      client: this.client,
      output: this.pump,
      clock,
      logger,
      metrics: this.counts,
      owns: {
        event: (assignment) => this.running?.events.isOwner(assignment) === true,
        lane: (assignment) => this.running?.lanes.isOwner(assignment) === true,
      },
      leaseMs: parts.consumer.sessionTimeoutMs,
      readLane: (lane, range, signal) => new RangeReader(this.kafka).read(lane, [range], signal),
      laneEnd: laneEndOf(this.kafka),
      share: new LaneShare(
        TOPICS.deliveries,
        () => this.lanePartitions,
        () => this.running?.lanes,
      ),
    });
    const connect = brokersInTurn(parts.kafka, options);
    const entries = recordsIn(this.engine.targets);
    this.view = new CompactedView({ topic: TOPICS.subscriptions, connect, clock, logger, entries });
    observeView(metrics, 'subscriptions', this.view);
    // Nothing waits for it: who has not heard yet tries an endpoint that others know to be broken.
    const words = { record: this.engine.words.take, atEnd: nothing, partitions: nothing };
    this.words = new TopicFollower(connect, TOPICS.progress, words, clock, logger);
  }

  /** Takes records of the events. */
  get events(): BatchHandler {
    return this.engine.events.handler;
  }

  /** Takes records of every lane. */
  get lanes(): BatchHandler {
    return this.engine.lanes.handler;
  }

  /**
   * Resolves when the view is complete and all topics are there: nothing may be taken in before that.
   * @returns the groups to run, that of the events first; none if the worker was stopped meanwhile
   */
  async prepare(): Promise<LogTransportGroup[]> {
    this.view.start();
    this.words.start();
    const { delivery, clock, logger } = this.parts;
    const found = await existingLanes(this.kafka, delivery.retryDelaysMs, () => this.stopping, clock, logger);
    if (found === undefined) return [];
    const { topics: lanes } = found;
    this.lanePartitions = found.partitions;
    await Promise.all([this.view.ready(), this.pump.start([TOPICS.attempts, ...lanes, TOPICS.deadLetters])]);
    await this.logTime.start().catch((error: unknown) => {
      if (!this.stopping) throw error;
    });
    return this.stopping ? [] : [this.eventsGroup(), this.lanesGroup(lanes)];
  }

  /** @param runners those of the groups, in their order */
  run(events: OffsetRunner, lanes: OffsetRunner): void {
    const { delivery, clock } = this.parts;
    const gate = new ViewGate(this.view, [events, lanes], delivery.viewStaleMs, clock);
    this.running = { events, lanes, gate };
    this.counts.watch({ events, lanes }, this.engine);
    gate.start();
  }

  /** Takes nothing more, finishes what is in flight, and commits it: nothing of it is repeated. */
  async drain(): Promise<void> {
    this.stopping = true;
    if (this.running === undefined) return;
    const { events, lanes, gate } = this.running;
    gate.stop();
    const stopped = Promise.all([events.stop(), lanes.stop()]);
    this.engine.lanes.close();
    await stopped;
    this.engine.rooms.close();
  }

  async close(): Promise<void> {
    this.logTime.stop();
    await Promise.all([
      this.pump.stop({ drainMs: this.parts.drainMs }),
      this.view.stop(),
      this.words.stop(),
      this.client.close(),
    ]);
  }

  /** What is wrong that only a restart would mend. */
  liveness(): string | undefined {
    const { events, lanes } = this.running ?? {};
    const problems = [events, lanes].flatMap((runner) => runner?.health().problems ?? []);
    return problems.length === 0 ? undefined : problems.join('; ');
  }

  readiness(): string | undefined {
    if (!this.view.isComplete) return 'the subscriptions have not been read to their end yet';
    if (this.running === undefined) return 'the consumer groups are not joined yet';
    const { events, lanes, gate } = this.running;
    if (!gate.isOpen) return 'the view of the subscriptions is behind';
    return events.leaseValid() && lanes.leaseValid() ? undefined : 'not in both consumer groups';
  }

  private readonly appendTimeAt = (topic: string, partition: number, offset: number): Promise<number | undefined> =>
    appendTimeOf(this.kafka, topic, partition, offset);

  private eventsGroup(): LogTransportGroup {
    const { delivery, clock } = this.parts;
    return {
      ...this.common(EVENTS_GROUP),
      topics: [TOPICS.events],
      maxInFlightTotal: delivery.heldEvents,
      lookBack: dedupeLookBack(delivery, this.appendTimeAt, () => clock.now()),
    };
  }

  private lanesGroup(topics: readonly string[]): LogTransportGroup {
    const { delivery } = this.parts;
    const { lanes, ordered } = this.engine;
    lanes.expect(topics);
    return {
      ...this.common(LANES_GROUP),
      topics,
      onAssigned: (assignment, progress) => lanes.assigned(assignment.topic, assignment, progress),
      onRevoked: (assignment) => lanes.revoked(assignment),
      // Retries wait until they are due, and replays for as long as live work leaves them no room.
      waitsOnPurpose: (topic) => topic === TOPICS.replays || retryDelayOf(topic) !== undefined || ordered.isFull,
      mayRest,
      highWater: { records: delivery.laneHeldRecords, bytes: delivery.laneHeldBytes },
    };
  }

  private common(groupId: string): Omit<LogTransportGroup, 'topics'> {
    const { logger, consumer, delivery, drainMs } = this.parts;
    return {
      ...consumerOptions(consumer),
      kafka: this.kafka,
      groupId,
      witness: new WatermarkLog(this.kafka, this.pump, groupId),
      onAgedOut: (gap, log) => this.agedOut.report(groupId, gap, log),
      // Its lease has to know of a machine that was suspended: only the wall clock goes on then.
      clock: systemClock,
      logger,
      commitIntervalMs: delivery.commitIntervalMs,
      drainMs,
      observer: this.counts.runnerObserver,
    };
  }
}

const nothing = (): void => undefined;
