import { retryDelayOf, retryTopic, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { EndpointClient } from '@hookline/http-delivery';
import {
  appendTimeOf,
  CompactedView,
  createKafka,
  NotDurable,
  OffsetRunner,
  RangeReader,
  TopicFollower,
  type Assignment,
  type BatchHandler,
  type LogRecord,
  type Output,
  type RunnerOptions,
} from '@hookline/kafka';
import { Metrics, silentLogger, systemClock, type Clock } from '@hookline/platform';
import { DeliveryEngine } from '../engine.js';
import { dedupeLookBack } from '../intake/look-back.js';
import { LaneShare } from '../lanes/share.js';
import { DeliveryMetrics } from '../metrics.js';
import { laneEndOf } from '../ordering/lane-end.js';
import { recordsIn } from '../subscriptions/records-in.js';
import { ViewGate } from '../subscriptions/view-gate.js';
import type { DeliveryRig } from './delivery-rig.js';
import { kafkaConfig } from './kafka-config.js';
import { MortalSockets } from './mortal-sockets.js';

/** A worker as `worker.ts` builds it, but on the topics of a rig: only the names differ, at the edges. */
export class RigWorker {
  readonly metrics = new Metrics('delivery');
  readonly view: CompactedView<SubscriptionRecord>;
  readonly engine: DeliveryEngine;
  readonly share: LaneShare;
  /** Added to how stale the view is, ms. */
  staleBy = 0;
  /** Attempts that it has begun. */
  attempts = 0;
  private readonly words: TopicFollower;
  private readonly client: EndpointClient;
  private readonly gate: ViewGate;
  private readonly events: OffsetRunner;
  private readonly lanes: OffsetRunner;
  private readonly sockets = new MortalSockets();
  private readonly kafka = createKafka(kafkaConfig(), {
    role: 'delivery',
    logger: silentLogger,
    socketFactory: this.sockets.factory,
  });
  private dead = false;
  private stopped: Promise<void> | undefined;

  /** @param clock the engine's; the runners and the view go by the system's in any case */
  constructor(
    private readonly rig: DeliveryRig,
    clock: Clock = systemClock,
  ) {
    const { settings, sealer, pump } = rig;
    this.share = new LaneShare(
      rig.named(TOPICS.deliveries),
      () => rig.lanePartitions,
      () => this.lanes,
    );
    const counts = new DeliveryMetrics(this.metrics, clock);
    this.client = new EndpointClient({
      ...settings,
      keepBytes: settings.responseBodyBytes,
      readBytes: settings.responseReadBytes,
    });
    const output: Output = {
      produce: (record) => {
        if (this.dead) return Promise.reject(new NotDurable('stopped', 'the worker is dead'));
        if (rig.refuses(record)) return Promise.reject(new NotDurable('overloaded', 'by the test'));
        return pump.produce({ ...record, topic: rig.named(record.topic) });
      },
    };
    this.engine = new DeliveryEngine({
      settings,
      sealer,
      client: {
        send: (request) => {
          this.attempts++;
          return this.client.send(request);
        },
      },
      output,
      clock,
      logger: silentLogger,
      metrics: counts,
      // Which of them is asked follows from the topic's name, and here it has another one.
      owns: { event: (assignment) => this.isOwner(assignment), lane: (assignment) => this.isOwner(assignment) },
      leaseMs: rig.sessionMs,
      share: this.share,
      readLane: (lane, range, signal) => new RangeReader(this.kafka).read(rig.named(lane), [range], signal),
      laneEnd: (lane, partition) => laneEndOf(this.kafka)(rig.named(lane), partition),
    });
    this.view = new CompactedView({
      topic: rig.named(TOPICS.subscriptions),
      connect: () => createKafka(kafkaConfig(), { role: 'view', logger: silentLogger }),
      clock: systemClock,
      logger: silentLogger,
      entries: recordsIn(this.engine.targets),
    });
    const nothing = (): void => undefined;
    this.words = new TopicFollower(
      () => createKafka(kafkaConfig(), { role: 'words', logger: silentLogger }),
      rig.named(TOPICS.progress),
      { record: this.engine.words.take, atEnd: nothing, partitions: nothing },
      systemClock,
      silentLogger,
    );
    this.events = this.runner('events', [TOPICS.events], this.engine.events.handler, {
      maxInFlightTotal: settings.heldEvents,
      lookBack: dedupeLookBack(
        settings,
        (topic, partition, offset) => appendTimeOf(rig.kafka, topic, partition, offset),
        () => clock.now(),
      ),
    });
    const lanes = [TOPICS.deliveries, TOPICS.replays, ...settings.retryDelaysMs.map(retryTopic)];
    this.engine.lanes.expect(lanes);
    this.lanes = this.runner('lanes', lanes, this.engine.lanes.handler, {
      onAssigned: (assignment, progress) =>
        this.engine.lanes.assigned(rig.unnamed(assignment.topic), assignment, progress),
      onRevoked: (assignment) => this.engine.lanes.revoked(assignment),
      waitsOnPurpose: (topic) => retryDelayOf(rig.unnamed(topic)) !== undefined,
      highWater: { records: settings.laneHeldRecords, bytes: settings.laneHeldBytes },
    });
    const { view } = this;
    const freshness = {
      get isComplete() {
        return view.isComplete;
      },
      staleForMs: () => view.staleForMs() + this.staleBy,
    };
    this.gate = new ViewGate(freshness, [this.events, this.lanes], settings.viewStaleMs, systemClock);
    counts.watch({ events: this.events, lanes: this.lanes }, this.engine);
  }

  async start(): Promise<void> {
    this.view.start();
    this.words.start();
    await this.view.ready();
    this.gate.start();
    await Promise.all([this.events.start(), this.lanes.start()]);
  }

  get isOpen(): boolean {
    return this.gate.isOpen;
  }

  /** For a wait that was in vain. */
  seen(): object {
    const partitions = [this.events, this.lanes].flatMap((runner) => runner.stats().partitions);
    const owned = partitions.map(({ topic, partition, paused }) => `${this.rig.unnamed(topic)}/${partition} ${paused}`);
    return { attempts: this.attempts, isOpen: this.isOpen, dead: this.dead, owned };
  }

  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  /** As a SIGKILL: commits nothing any more, writes nothing, and the group learns of it by its silence only. */
  die(): void {
    this.dead = true;
    this.sockets.kill();
    void this.stop();
  }

  private isOwner(assignment: Assignment): boolean {
    const runner = this.rig.unnamed(assignment.topic) === TOPICS.events ? this.events : this.lanes;
    return runner.isOwner(assignment);
  }

  private async stopOnce(): Promise<void> {
    this.gate.stop();
    const stopped = Promise.all([this.events.stop(), this.lanes.stop()]);
    this.engine.lanes.close();
    await stopped;
    this.engine.rooms.close();
    await Promise.all([this.view.stop(), this.words.stop(), this.client.close()]);
  }

  private runner(
    group: string,
    topics: readonly string[],
    handler: BatchHandler,
    options: Partial<RunnerOptions>,
  ): OffsetRunner {
    const { rig } = this;
    const unnamed = (record: LogRecord): LogRecord => ({ ...record, topic: rig.unnamed(record.topic) });
    return new OffsetRunner({
      kafka: this.kafka,
      groupId: `${rig.prefix}.${group}`,
      topics: topics.map((topic) => rig.named(topic)),
      handler: (records) => handler(records.map(unnamed)),
      clock: systemClock,
      logger: silentLogger,
      commitIntervalMs: 100,
      // Who waits for the group to notice a death waits for this.
      sessionTimeoutMs: rig.sessionMs,
      drainMs: rig.drainMs,
      ...options,
    });
  }
}
