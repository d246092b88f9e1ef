import { coPartitioningAssigner, type Held } from './co-partitioning-assigner.js';
import { Committer, hasNews } from './committer.js';
import { GroupSession, type Batch, type SessionEvents } from './group-session.js';
import { HandOver } from './hand-over.js';
import { Lease } from './lease.js';
import { OwnedPartition } from './owned-partition.js';
import { OwnedPartitions } from './owned-partitions.js';
import type { Assignment } from './record.js';
import { Restorer } from './restorer.js';
import type { RunnerHealth, RunnerObserver, RunnerStats } from './runner-observer.js';
import { runnerSettings, type RestoredProgress, type RunnerOptions, type RunnerSettings } from './runner-options.js';
import { StallWatch } from './stall-watch.js';

/** How long a rebalance is held up for the last commit of the generation that ends. */
const LAST_COMMIT_MS = 2_000;
const WATCH_MS = 500;
const STOPPING = 'stopping';
const TOTAL = 'total';

/**
 * Reads topics in a consumer group and is the sole owner of their offsets: hands records over, keeps what completes
 * out of order, commits the contiguous low watermark with what is complete above it, and pauses where too much is
 * in flight.
 */
export class OffsetRunner {
  private readonly settings: RunnerSettings;
  private readonly observer: RunnerObserver;
  private readonly lease: Lease;
  private readonly owned = new OwnedPartitions();
  private readonly committer: Committer;
  private readonly handOver: HandOver;
  private readonly restorer: Restorer;
  private readonly stalls: StallWatch;
  /** Why nothing at all is taken. */
  private readonly gates = new Set<string>();
  private readonly cancels = new Set<() => void>();
  private session: GroupSession | undefined;
  private inFlightTotal = 0;
  private running: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;
  private firstJoin!: () => void;
  private drained: (() => void) | undefined;
  private finished = false;

  constructor(private readonly options: RunnerOptions) {
    const settings = runnerSettings(options);
    const { clock, logger, observer = {} } = options;
    this.settings = settings;
    this.observer = observer;
    this.lease = new Lease(settings.sessionTimeoutMs, settings.monotonic, () => clock.now());
    this.committer = new Committer(logger, observer, settings.monotonic, (partition) => this.applyFlow(partition));
    this.handOver = new HandOver({
      handler: options.handler,
      clock,
      logger,
      observer,
      retry: settings.retry,
      completed: (partition, records) => this.completed(partition, records),
      letGo: () => this.letGo(),
    });
    this.restorer = new Restorer({
      kafka: options.kafka,
      groupId: options.groupId,
      clock,
      logger,
      observer,
      positions: options.positions,
      lookBack: options.lookBack,
      retry: settings.retry,
      restored: (partition, progress) => this.restored(partition, progress),
      moved: (partition) => this.readFrom(partition),
      lost: (partition) => this.replace(partition, 'its position is past the end of the log'),
    });
    this.stalls = new StallWatch(settings.stallMs, settings.monotonic, options.waitsOnPurpose ?? (() => false));
  }

  /**
   * Resolves when the group was joined for the first time, or the runner was stopped before that. While Kafka can't
   * be reached it goes on trying.
   */
  start(): Promise<void> {
    if (this.stopped || this.running) return Promise.resolve();
    const joined = new Promise<void>((resolve) => (this.firstJoin = resolve));
    this.running = this.runSessions();
    this.every(this.settings.commitIntervalMs, () => this.commitNow());
    this.every(WATCH_MS, () => this.watch());
    return joined;
  }

  /**
   * Takes nothing more, waits for what is in flight (as long as `drainMs`), commits and leaves the group. What was
   * drained is not repeated by anyone. Safe to call twice, and before start.
   */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  /** Stops taking records until every reason is taken back; what is in flight goes on. */
  pauseIntake(reason: string): void {
    this.gates.add(reason);
    this.applyFlowToAll();
  }

  resumeIntake(reason: string): void {
    if (this.gates.delete(reason)) this.applyFlowToAll();
  }

  /** Whether the group surely counts on this member: a heartbeat was accepted within the session timeout. */
  leaseValid(): boolean {
    return this.lease.valid;
  }

  /** Whether work for the assignment may act on the outside now: to be asked right before every attempt. */
  isOwner(assignment: Assignment): boolean {
    return !assignment.signal.aborted && this.lease.valid;
  }

  /**
   * Gives up what is in flight of a partition, asks again where it starts, and reads it from there: for a store of
   * positions that went back in time. Nothing happens where the partition is another's by now.
   */
  reread(topic: string, partition: number): void {
    const owned = this.owned.get(topic, partition);
    if (owned) this.replace(owned, 'it is read again from its stored position');
  }

  stats(): RunnerStats {
    const partitions = this.owned.values().map((each) => each.stats(this.gates));
    return { inFlight: this.inFlightTotal, partitions, heartbeatAgeMs: this.lease.ageMs };
  }

  health(): RunnerHealth {
    const problems = this.stalls
      .stalled(this.owned.values())
      .map(
        ({ topic, partition }) => `${topic}/${partition} has work and made no progress for ${this.settings.stallMs} ms`,
      );
    const silentMs = this.session?.silentMs() ?? 0;
    if (silentMs > this.settings.stallMs)
      problems.push(`nothing was heard from the group for ${Math.round(silentMs)} ms`);
    return { ok: problems.length === 0, problems };
  }

  /** One consumer after the other, until stopped. */
  private async runSessions(): Promise<void> {
    const { clock, logger, groupId } = this.options;
    const { firstMs, mostMs } = this.settings.retry;
    let delayMs = firstMs;
    while (!this.stopped) {
      const session = this.newSession();
      this.session = session;
      session.open().catch((error: unknown) => session.end(`it can't be opened: ${String(error)}`));
      const reason = await session.ended;
      if (this.stopped) return;
      delayMs = session.wasJoined ? firstMs : Math.min(delayMs * 2, mostMs);
      logger.warn({ group: groupId, reason, delayMs }, 'the consumer is made anew');
      this.observer.restarted?.(reason);
      session.abandon();
      this.session = undefined;
      this.loseAll(reason);
      await new Promise<void>((resolve) => this.cancels.add(clock.after(delayMs, resolve)));
    }
  }

  private newSession(): GroupSession {
    const { assigner = 'co-partitioned' } = this.options;
    const factory = assigner === 'co-partitioned' ? coPartitioningAssigner(() => this.held()) : assigner;
    const events: SessionEvents = {
      beforeJoin: () => this.withinMs(this.commitNow(), LAST_COMMIT_MS),
      joined: (topics, kept) => this.joined(session, topics, kept),
      lost: (reason) => this.loseAll(reason),
      batch: (batch) => this.take(session, batch),
      passed: (topic, partition, next) => this.owned.get(topic, partition)?.skipTo(next),
      outOfRange: (topic, partition) => this.outOfRange(topic, partition),
    };
    const session = new GroupSession(this.options, this.settings, this.lease, factory, events);
    return session;
  }

  private held(): Held {
    return { partitions: this.owned.numbers(), generation: this.session?.generation ?? 0 };
  }

  /** Before the first fetch of a generation: what left is let go of, what is new waits for its progress. */
  private joined(session: GroupSession, topics: Readonly<Record<string, number[]>>, kept: boolean): void {
    if (!kept) this.loseAll('a generation was missed');
    const assigned = Object.entries(topics).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    const stay = new Set(assigned.map(({ topic, partition }) => this.owned.get(topic, partition)));
    for (const each of this.owned.values()) if (!stay.has(each)) this.revoke(each, 'it was given to another member');
    const added: OwnedPartition[] = [];
    for (const { topic, partition } of assigned) {
      const own = this.owned.get(topic, partition);
      // kafkajs would begin at the committed offset again, and deliver all that is in flight.
      if (own === undefined) added.push(this.own(session, topic, partition));
      else if (own.tracker !== undefined) session.seek(topic, partition, own.position);
    }
    this.observer.joined?.(assigned.length);
    this.options.logger.info(
      { group: this.options.groupId, partitions: assigned.length, added: added.length },
      'joined',
    );
    this.firstJoin();
    void this.restorer.restore(added);
  }

  private own(session: GroupSession, topic: string, partition: number): OwnedPartition {
    const added = new OwnedPartition(topic, partition, this.settings.highWater, this.options.lookBack !== undefined);
    this.owned.add(added);
    session.pause(topic, partition);
    return added;
  }

  private restored(partition: OwnedPartition, progress: RestoredProgress): void {
    try {
      this.options.onAssigned?.(partition, progress);
    } catch (error) {
      this.options.logger.error({ err: error }, 'onAssigned failed');
    }
    this.readFrom(partition);
  }

  /** Its position is known: it may be fetched. */
  private readFrom(partition: OwnedPartition): void {
    if (!partition.alive) return;
    this.session?.seek(partition.topic, partition.partition, partition.position);
    partition.pauses.delete('restoring');
    this.applyFlow(partition);
  }

  private outOfRange(topic: string, partition: number): void {
    const owned = this.owned.get(topic, partition);
    if (owned === undefined || owned.pauses.has('restoring')) return;
    owned.pauses.add('restoring');
    this.applyFlow(owned);
    void this.restorer.restore([owned]);
  }

  private replace(partition: OwnedPartition, reason: string): void {
    const { session } = this;
    if (session === undefined || !partition.alive) return;
    this.revoke(partition, reason);
    void this.restorer.restore([this.own(session, partition.topic, partition.partition)]);
  }

  private take(session: GroupSession, batch: Batch): boolean {
    const owned = this.owned.get(batch.topic, batch.partition);
    if (owned?.tracker === undefined || this.isPaused(owned)) return false;
    const { fetchedOffset } = batch as Batch & { fetchedOffset: string };
    if (Number(fetchedOffset) > owned.position) {
      // An answer from before a seek: what lies between would be skipped.
      session.seek(owned.topic, owned.partition, owned.position);
      return false;
    }
    const records = owned.take(batch);
    this.countInFlight();
    this.applyFlow(owned);
    if (records.length > 0) this.handOver.give(owned, records);
    return true;
  }

  private completed(partition: OwnedPartition, records: number): void {
    this.observer.completed?.(partition.topic, records);
    this.inFlightTotal -= records;
    this.applyFlow(partition);
    this.checkTotal();
  }

  /** A stop doesn't wait for it. */
  private letGo(): void {
    this.inFlightTotal--;
    this.checkTotal();
  }

  private revoke(partition: OwnedPartition, reason: string): void {
    if (!this.owned.remove(partition)) return;
    partition.revoke(reason);
    this.countInFlight();
    try {
      this.options.onRevoked?.(partition);
    } catch (error) {
      this.options.logger.error({ err: error }, 'onRevoked failed');
    }
  }

  private loseAll(reason: string): void {
    for (const each of this.owned.values()) this.revoke(each, reason);
  }

  private countInFlight(): void {
    this.inFlightTotal = this.owned.inFlight;
    this.checkTotal();
  }

  private checkTotal(): void {
    if (this.inFlightTotal >= this.settings.maxInFlightTotal) this.pauseIntake(TOTAL);
    else if (this.inFlightTotal <= this.settings.maxInFlightTotal / 2) this.resumeIntake(TOTAL);
    if (this.inFlightTotal === 0) this.drained?.();
  }

  private isPaused(partition: OwnedPartition): boolean {
    return this.gates.size > 0 || partition.pauses.size > 0;
  }

  private applyFlow(partition: OwnedPartition): void {
    if (!partition.alive) return;
    const wanted = this.isPaused(partition) ? 'paused' : 'resumed';
    if (wanted === partition.told || this.session === undefined) return;
    partition.told = wanted;
    if (wanted === 'paused') this.session.pause(partition.topic, partition.partition);
    else this.session.resume(partition.topic, partition.partition);
  }

  private applyFlowToAll(): void {
    for (const each of this.owned.values()) this.applyFlow(each);
  }

  private commitNow(): Promise<void> {
    return this.session ? this.committer.commit(this.session, this.owned.values()) : Promise.resolve();
  }

  private watch(): Promise<void> {
    const gated = [...this.gates].some((gate) => gate !== TOTAL);
    this.stalls.look(this.owned.values(), gated);
    const { session } = this;
    if (session !== undefined && session.silentMs() > this.settings.watchdogMs) {
      session.end(`nothing was heard from the group for ${Math.round(session.silentMs())} ms`);
    }
    return Promise.resolve();
  }

  private async stopOnce(): Promise<void> {
    if (this.running === undefined) return;
    const { clock, logger, groupId } = this.options;
    const deadline = clock.now() + this.settings.drainMs;
    this.pauseIntake(STOPPING);
    if (this.inFlightTotal > 0) {
      const drained = new Promise<void>((resolve) => (this.drained = resolve));
      await this.withinMs(drained, this.settings.drainMs);
    }
    // Refused while the group is between two generations: then it is sent again under the next one.
    while (this.owned.values().some(hasNews) && this.lease.valid && clock.now() < deadline + LAST_COMMIT_MS) {
      await this.withinMs(this.commitNow(), LAST_COMMIT_MS);
      await this.withinMs(new Promise(() => undefined), 20);
    }
    const left = this.inFlightTotal;
    if (left > 0)
      logger.warn({ group: groupId, records: left }, 'stopped with records in flight; they will be repeated');
    this.loseAll('the runner has stopped');
    const { session } = this;
    if (session !== undefined) {
      await this.withinMs(session.close(), this.settings.drainMs);
      session.abandon();
      session.end('stopped');
    }
    this.finished = true;
    this.cancels.forEach((cancel) => cancel());
    this.lease.end();
    this.firstJoin();
  }

  private every(ms: number, act: () => Promise<void>): void {
    const arm = (): void => {
      const cancel = this.options.clock.after(ms, () => {
        this.cancels.delete(cancel);
        void act().then(() => this.finished || arm());
      });
      this.cancels.add(cancel);
    };
    arm();
  }

  private async withinMs(work: Promise<void>, ms: number): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.options.clock.after(ms, resolve)));
    await Promise.race([work, late]);
    cancel();
  }
}
