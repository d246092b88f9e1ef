import { FlushPlan } from './flush-plan.js';
import { LeaderLane, type LaneProducer, type LaneSurroundings } from './leader-lane.js';
import type { PartitionBatch } from './partition-batch.js';
import { PartitionQueue } from './partition-queue.js';
import type { PendingRecord } from './pending-record.js';
import type { RecordQueue } from './record-queue.js';
import { RoundPace } from './round-pace.js';
import type { SharedQueue } from './shared-queue.js';
import type { Leaders } from './topic-layout.js';
import { TopicQueues } from './topic-queues.js';

export interface FlushSettings {
  maxFlushRecords: number;
  maxFlushBytes: number;
  patienceMs: number;
  gatherMs?: number;
  roundIntervalMs: number;
}

/**
 * Decides what leaves when, and over which lane. Sends leave in rounds: every leader that is idle and has something to
 * get takes it at the same moment, and one that is busy is left out. {@link RoundPace} says when the next one may begin. What is in
 * no hurry goes along where its leader gets something else, and by itself when it has waited for as long as it may.
 */
export class FlushScheduler {
  private readonly topics = new Map<string, TopicQueues>();
  private readonly lanes = new Map<number, LeaderLane>();
  /** The partitions with something to send, the longest waiting first. */
  private readonly ready = new Set<PartitionQueue>();
  private readonly sharedFlushes = new Map<PartitionBatch, SharedQueue>();
  private scheduled = false;
  private readonly pace: RoundPace;
  private readonly gatherMs: number;
  private wake: { at: number; cancel: () => void } | undefined;

  constructor(
    private readonly newProducer: () => LaneProducer,
    private readonly settings: FlushSettings,
    private readonly around: LaneSurroundings,
    private readonly onSettled: (record: PendingRecord) => void,
  ) {
    this.pace = new RoundPace(settings.roundIntervalMs);
    this.gatherMs = settings.gatherMs ?? 0;
  }

  /** False if it names a partition that isn't there. */
  add(record: PendingRecord): boolean {
    const queue = this.topicOf(record.topic).route(record, this.around.clock.now());
    if (queue instanceof PartitionQueue) this.ready.add(queue);
    this.schedule();
    return queue !== undefined;
  }

  knows(topic: string): boolean {
    return (this.topics.get(topic)?.partitions.length ?? 0) > 0;
  }

  /** Returns the records that have waited for this, to be added again. */
  update(topic: string, leaders: Leaders): PendingRecord[] {
    this.schedule();
    return this.topicOf(topic).update(leaders);
  }

  /** Connects to all known leaders. */
  async warm(): Promise<void> {
    const leaders = new Set<number>();
    for (const { partitions } of this.topics.values()) for (const { leader } of partitions) leaders.add(leader);
    leaders.delete(-1);
    await Promise.all([...leaders].map((leader) => this.laneOf(leader).warm()));
  }

  *queues(): Iterable<RecordQueue> {
    for (const topic of this.topics.values()) yield* topic.queues();
  }

  *inFlight(): Iterable<PendingRecord> {
    for (const lane of this.lanes.values()) for (const batch of lane.inFlight) yield* batch.records();
  }

  async close(): Promise<void> {
    this.wake?.cancel();
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }

  /** Not at once: all that arrives in this turn of the event loop leaves together. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (!this.around.stopped.aborted) this.dispatch();
    });
  }

  private dispatch(): void {
    const now = this.around.clock.now();
    const wait = this.pace.waitMs(now);
    if (wait > 0) return this.wakeAfter(wait);
    const plans = new Map<LeaderLane, FlushPlan>();
    const unhurried = this.planPartitions(plans, now);
    this.planShared(plans, now);
    this.planUnhurried(unhurried, plans, now);
    let records = 0;
    let full = false;
    for (const [lane, plan] of plans) {
      if (plan.batches.length === 0) continue;
      records += plan.records;
      full ||= plan.full;
      for (const { queue } of plan.batches) queue.busy = true;
      void lane.deliver(plan.batches, (batch) => this.closed(batch)).then(() => this.schedule());
    }
    if (records > 0) this.pace.began(now, records, full);
  }

  /** Returns those that may wait for company. */
  private planPartitions(plans: Map<LeaderLane, FlushPlan>, now: number): PartitionQueue[] {
    const unhurried: PartitionQueue[] = [];
    for (const queue of [...this.ready]) {
      if (queue.length === 0) this.ready.delete(queue);
      else if (queue.mayWaitMs(now, this.gatherMs) > 0) unhurried.push(queue);
      else this.planPartition(queue, plans);
    }
    return unhurried;
  }

  private planUnhurried(queues: readonly PartitionQueue[], plans: Map<LeaderLane, FlushPlan>, now: number): void {
    for (const queue of queues) {
      const plan = queue.leader < 0 ? undefined : plans.get(this.laneOf(queue.leader));
      if (plan !== undefined && plan.batches.length > 0) this.planPartition(queue, plans);
      else this.wakeAfter(queue.mayWaitMs(now, this.gatherMs));
    }
  }

  private planPartition(queue: PartitionQueue, plans: Map<LeaderLane, FlushPlan>): void {
    const plan = queue.busy ? undefined : this.planFor(queue.leader, plans);
    if (!plan || plan.full || !plan.take(queue, queue)) return;
    this.ready.delete(queue);
    if (queue.length > 0) this.ready.add(queue);
  }

  private planShared(plans: Map<LeaderLane, FlushPlan>, now: number): void {
    for (const { shared, partitions } of this.topics.values()) {
      if (shared.length === 0) continue;
      const wait = shared.waitMs(now);
      if (wait > 0) {
        this.wakeAfter(wait);
        continue;
      }
      const chosen = shared.choose(partitions.length, (partition) => {
        const queue = partitions[partition];
        if (!queue || queue.busy) return false;
        const plan = this.planFor(queue.leader, plans);
        return plan !== undefined && !plan.full;
      });
      const target = chosen === undefined ? undefined : partitions[chosen];
      const batch = target && this.planFor(target.leader, plans)?.take(shared, target);
      if (!batch) continue;
      for (const record of batch.piece as PendingRecord[]) record.partition = batch.queue.partition;
      shared.started(batch, now);
      this.sharedFlushes.set(batch, shared);
    }
  }

  /** Undefined while the leader is unknown or its lane has a send out. */
  private planFor(leader: number, plans: Map<LeaderLane, FlushPlan>): FlushPlan | undefined {
    if (leader < 0) return undefined;
    const lane = this.laneOf(leader);
    if (!lane.idle) return undefined;
    let plan = plans.get(lane);
    if (!plan) {
      const room = { records: this.settings.maxFlushRecords, bytes: this.settings.maxFlushBytes };
      plan = new FlushPlan(room, this.onSettled);
      plans.set(lane, plan);
    }
    return plan;
  }

  private laneOf(leader: number): LeaderLane {
    let lane = this.lanes.get(leader);
    if (!lane) {
      lane = new LeaderLane(leader, this.newProducer(), this.around);
      this.lanes.set(leader, lane);
    }
    return lane;
  }

  private closed(batch: PartitionBatch): void {
    batch.queue.busy = false;
    this.sharedFlushes.get(batch)?.closed(batch);
    this.sharedFlushes.delete(batch);
    this.schedule();
  }

  private wakeAfter(ms: number): void {
    const at = this.around.clock.now() + ms;
    if (this.wake && this.wake.at <= at) return;
    this.wake?.cancel();
    const cancel = this.around.clock.after(ms, () => {
      this.wake = undefined;
      this.schedule();
    });
    this.wake = { at, cancel };
  }

  private topicOf(name: string): TopicQueues {
    let topic = this.topics.get(name);
    if (!topic) {
      topic = new TopicQueues(name, this.settings.patienceMs, this.gatherMs);
      this.topics.set(name, topic);
    }
    return topic;
  }
}
