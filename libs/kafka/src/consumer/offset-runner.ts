import { Assignments } from './assignments.js';
import { coPartitioningAssigner, type Held } from './co-partitioning-assigner.js';
import { Committer, hasNews } from './committer.js';
import { GroupSession, type SessionEvents } from './group-session.js';
import { HandOver } from './hand-over.js';
import { Intake } from './intake.js';
import { Lease } from './lease.js';
import type { OwnedPartition } from './owned-partition.js';
import { OwnedPartitions } from './owned-partitions.js';
import type { Assignment } from './record.js';
import type { RunnerHealth, RunnerObserver, RunnerStats } from './runner-observer.js';
import { runnerSettings, type RunnerOptions, type RunnerSettings } from './runner-options.js';
import { StallWatch } from './stall-watch.js';
import { Timers } from './timers.js';
import { WatermarkKeeper } from './watermark-keeper.js';

/** How long a rebalance is held up for the last commit of the generation that ends. */
const LAST_COMMIT_MS = 2_000;
/** How long leaving the group may take; one that hangs is noticed by its silence instead. */
const LEAVE_MS = 5_000;
const WATCH_MS = 500;
/** How often partitions that rest are looked at. */
export const REST_MS = 250;
const FINAL_COMMIT_PAUSE_MS = 20;
const STOPPING = 'stopping';

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
  private readonly assignments: Assignments;
  private readonly watermarks: WatermarkKeeper;
  private readonly stalls: StallWatch;
  private readonly intake: Intake;
  private readonly timers: Timers;
  private session: GroupSession | undefined;
  private running: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;
  private firstJoin!: () => void;
  /** Consumers that hung or crashed, on their way out. */
  private givenUp: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: RunnerOptions) {
    const settings = runnerSettings(options);
    const { clock, logger, observer = {} } = options;
    this.settings = settings;
    this.observer = observer;
    this.lease = new Lease(settings.sessionTimeoutMs, settings.monotonic, () => clock.now());
    this.timers = new Timers(clock);
    this.intake = new Intake(this.owned, settings.maxInFlightTotal, {
      fetching: () => this.session,
      // A fetch asks nobody who owns the partition: what wakes from a long sleep hears of its loss at its next heartbeat.
      mayGive: () => this.lease.valid,
      give: (partition, records) => this.handOver.give(partition, records),
    });
    this.committer = new Committer(logger, observer, settings.monotonic, (partition) => this.intake.apply(partition));
    this.handOver = new HandOver({
      handler: options.handler,
      clock,
      logger,
      observer,
      retry: settings.retry,
      completed: (partition, records) => this.completed(partition, records),
      letGo: () => this.intake.settled(1),
    });
    this.assignments = new Assignments(options, settings, observer, this.owned, this.intake, () => this.session);
    this.watermarks = new WatermarkKeeper(options.witness, () => this.lease.valid, logger);
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
    this.timers.every(this.settings.commitIntervalMs, () => this.commitNow());
    this.timers.every(this.settings.witnessIntervalMs, () => this.watermarks.keep(this.owned.values()));
    this.timers.every(WATCH_MS, () => this.watch());
    if (this.options.mayRest !== undefined) this.timers.every(REST_MS, () => this.assignments.wakeResting());
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
    this.intake.pause(reason);
  }

  resumeIntake(reason: string): void {
    this.intake.resume(reason);
  }

  /** Whether the group surely counts on this member: a heartbeat was accepted within the session timeout. */
  leaseValid(): boolean {
    return this.lease.valid;
  }

  /** Whether work for the assignment may act on the outside now: to be asked right before every attempt. */
  isOwner(assignment: Assignment): boolean {
    return !assignment.signal.aborted && this.lease.valid;
  }

  /** Whether the partition is this member's, and the group surely counts on it. */
  owns(topic: string, partition: number): boolean {
    return this.owned.get(topic, partition) !== undefined && this.lease.valid;
  }

  /** How many members the group has, by what its leader told last; 1 before that. */
  members(): number {
    return this.session?.members ?? 1;
  }

  /**
   * Gives up what is in flight of a partition, asks again where it starts, and reads it from there: for a store of
   * positions that went back in time. Nothing happens where the partition is another's by now.
   */
  reread(topic: string, partition: number): void {
    const owned = this.owned.get(topic, partition);
    if (owned) this.assignments.replace(owned, 'it is read again from its stored position');
  }

  stats(): RunnerStats {
    const partitions = this.owned.values().map((each) => each.stats(this.intake.reasons));
    return { inFlight: this.intake.inFlight, partitions, heartbeatAgeMs: this.lease.ageMs };
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
    const { logger, groupId } = this.options;
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
      this.givenUp = Promise.all([this.givenUp, session.abandon()]);
      this.session = undefined;
      this.assignments.loseAll(reason);
      await this.timers.pause(delayMs);
    }
  }

  private newSession(): GroupSession {
    const { assigner = 'co-partitioned' } = this.options;
    const factory = assigner === 'co-partitioned' ? coPartitioningAssigner(() => this.held()) : assigner;
    const events: SessionEvents = {
      beforeJoin: () => this.timers.within(LAST_COMMIT_MS, this.commitNow()),
      joined: (topics, kept) => {
        this.assignments.joined(session, topics, kept);
        this.firstJoin();
      },
      lost: (reason) => this.assignments.loseAll(reason),
      batch: (batch) => this.assignments.take(session, batch),
      passed: (topic, partition, next) => this.owned.get(topic, partition)?.pass(next),
      outOfRange: (topic, partition) => this.assignments.outOfRange(topic, partition),
    };
    const session = new GroupSession(this.options, this.settings, this.lease, factory, events);
    return session;
  }

  private held(): Held {
    return { partitions: this.owned.numbers(), generation: this.session?.generation ?? 0 };
  }

  private completed(partition: OwnedPartition, records: number): void {
    this.observer.completed?.(partition.topic, records);
    this.intake.completed(partition, records);
  }

  private commitNow(): Promise<void> {
    return this.session ? this.committer.commit(this.session, this.owned.values()) : Promise.resolve();
  }

  private watch(): void {
    this.stalls.look(this.owned.values(), this.intake.gated);
    // What waits because nobody heard of the group for a while.
    this.intake.applyToAll();
    const { session } = this;
    if (session !== undefined && session.silentMs() > this.settings.watchdogMs) {
      session.end(`nothing was heard from the group for ${Math.round(session.silentMs())} ms`);
    }
  }

  private async stopOnce(): Promise<void> {
    if (this.running === undefined) return;
    const { drainMs } = this.settings;
    const { clock, logger, groupId } = this.options;
    const deadline = clock.now() + drainMs + LAST_COMMIT_MS;
    this.intake.pause(STOPPING);
    await this.timers.within(drainMs, this.intake.drained());
    // Refused while the group is between two generations: then it is sent again under the next one.
    while (this.owned.values().some(hasNews) && this.lease.valid && clock.now() < deadline) {
      await this.timers.within(LAST_COMMIT_MS, this.commitNow());
      await this.timers.pause(FINAL_COMMIT_PAUSE_MS);
    }
    await this.timers.within(LAST_COMMIT_MS, this.watermarks.keep(this.owned.values()));
    const records = this.intake.inFlight;
    if (records > 0) logger.warn({ group: groupId, records }, 'stopped with records in flight; they will be repeated');
    this.assignments.loseAll('the runner has stopped');
    if (this.session !== undefined) await this.timers.within(LEAVE_MS, this.session.close());
    this.session?.end('stopped');
    await this.timers.within(LAST_COMMIT_MS, this.givenUp);
    this.timers.end();
    this.lease.end();
    this.firstJoin();
  }
}
