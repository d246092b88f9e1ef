import type { Cluster, Consumer, EachBatchPayload, PartitionAssigner } from 'kafkajs';
import { membersIn } from './co-partitioning-assigner.js';
import { tapCoordinator, type Coordinator, type Member, type TopicCommit } from './coordinator-tap.js';
import type { Lease } from './lease.js';
import type { RunnerOptions, RunnerSettings } from './runner-options.js';

export type Batch = EachBatchPayload['batch'];

/** What a session tells the runner. All of it comes on the consumer's own turn, before its next fetch. */
export interface SessionEvents {
  beforeJoin(): Promise<void>;
  /** @param kept whether the generation before was ours too, so that what stays was never another's */
  joined(topics: Readonly<Record<string, number[]>>, kept: boolean): void;
  /** The group goes on without us: what we had is another's. */
  lost(reason: string): void;
  /** @returns whether it was taken; what isn't, is fetched again */
  batch(batch: Batch): boolean;
  /** Nothing but control records or holes up to `next`. */
  passed(topic: string, partition: number, next: number): void;
  outOfRange(topic: string, partition: number): void;
}

const LOST = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/** One kafkajs consumer from its making to its end; when it crashes or hangs, the runner makes another. */
export class GroupSession {
  /** Resolves with the reason when the consumer is of no more use. */
  readonly ended: Promise<string>;
  /** Under which a commit may be sent: undefined from the moment the group is joined anew until we know what is ours. */
  member: Member | undefined;
  /** How many are in the group, as far as we were told; 1 before that. */
  members = 1;
  private readonly consumer: Consumer;
  private cluster!: Cluster;
  private coordinator: Coordinator | undefined;
  private lastMember: Member | undefined;
  private joining: Member | undefined;
  private joiningSince: number | undefined;
  private joinedOnce = false;
  private closed = false;
  private signalEnd!: (reason: string) => void;

  constructor(
    private readonly options: RunnerOptions,
    private readonly settings: RunnerSettings,
    private readonly lease: Lease,
    assigner: PartitionAssigner,
    private readonly events: SessionEvents,
  ) {
    this.ended = new Promise((resolve) => (this.signalEnd = resolve));
    this.consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: settings.sessionTimeoutMs,
      heartbeatInterval: settings.heartbeatIntervalMs,
      rebalanceTimeout: settings.rebalanceTimeoutMs,
      maxWaitTimeInMs: settings.maxWaitMs,
      minBytes: settings.minBytes,
      maxBytesPerPartition: settings.maxBytesPerPartition,
      // A crash ends the session; restarting is the runner's business alone.
      retry: { restartOnFailure: () => Promise.resolve(false) },
      partitionAssigners: [(config) => this.tap(config, assigner)],
    });
    this.listen();
  }

  /** Connects and joins. @throws what kafkajs throws when it can't connect */
  async open(): Promise<void> {
    this.joiningSince = this.settings.monotonic();
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.take(payload),
    });
  }

  pause(topic: string, partition: number): void {
    this.whileItRuns(() => this.consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume(topic: string, partition: number): void {
    this.whileItRuns(() => this.consumer.resume([{ topic, partitions: [partition] }]));
  }

  seek(topic: string, partition: number, offset: number): void {
    this.whileItRuns(() => this.consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /**
   * One request, under exactly this membership: never sent again, and refused by the broker once there is a later
   * generation.
   */
  async commit(member: Member, topics: readonly TopicCommit[]): Promise<void> {
    const { groupId } = this.options;
    try {
      if (this.coordinator?.isConnected() !== true) {
        this.coordinator = (await this.cluster.findGroupCoordinator({ groupId })) as unknown as Coordinator;
      }
      const { memberId, generationId } = member;
      await this.coordinator.offsetCommit({ groupId, memberId, groupGenerationId: generationId, topics });
    } catch (error) {
      // It may have moved: the next commit asks who it is.
      this.coordinator = undefined;
      throw error;
    }
  }

  /** Milliseconds for which nothing was heard from the group, beyond what joining may take. */
  silentMs(): number {
    const { joiningSince } = this;
    if (joiningSince !== undefined) {
      return this.settings.monotonic() - joiningSince - this.settings.rebalanceTimeoutMs;
    }
    return this.lease.ageMs ?? 0;
  }

  end(reason: string): void {
    this.signalEnd(reason);
  }

  /** Leaves the group: to be called when nothing is in flight any more. */
  async close(): Promise<void> {
    try {
      await this.consumer.disconnect();
    } catch (error) {
      this.options.logger.warn({ err: error, group: this.options.groupId }, 'leaving the group failed');
    }
    this.closed = true;
  }

  /** The last one in which we knew what is ours. */
  get generation(): number {
    return this.lastMember?.generationId ?? 0;
  }

  get wasJoined(): boolean {
    return this.joinedOnce;
  }

  /** Gives the consumer up; what it still does reaches nobody. Resolves when it has closed, which may take a while. */
  async abandon(): Promise<void> {
    this.closed = true;
    this.member = undefined;
    await this.close();
  }

  private tap(config: Parameters<PartitionAssigner>[0], assigner: PartitionAssigner) {
    this.cluster = config.cluster;
    tapCoordinator(config.cluster, this.options.groupId, {
      isClosed: () => this.closed,
      beforeJoin: async () => {
        this.joiningSince ??= this.settings.monotonic();
        if (this.member) await this.events.beforeJoin();
        this.lastMember = this.member ?? this.lastMember;
        this.member = undefined;
      },
      joined: (member) => {
        this.joining = member;
        this.joiningSince = this.settings.monotonic();
        // What we had was others' meanwhile. The answer to the sync renews the lease before kafkajs tells of the join.
        if (!this.keeps(member)) this.events.lost('a generation was missed');
      },
      synced: (memberAssignment) => {
        if (!this.closed) this.members = membersIn(memberAssignment);
      },
      beat: () => {
        const sent = this.lease.stamp();
        return () => this.closed || this.lease.renew(sent);
      },
      refused: (error) => {
        const type = (error as { type?: string }).type;
        if (!this.closed && type !== undefined && LOST.has(type)) this.lose(type);
      },
      outOfRange: (topic, partition) => this.closed || this.events.outOfRange(topic, partition),
    });
    return assigner(config);
  }

  /** kafkajs throws once it has crashed: then this session ends, and its partitions with it. */
  private whileItRuns(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.end(`kafkajs has stopped: ${String(error)}`);
    }
  }

  /** The same generation again, or the next one: what we keep was nobody else's meanwhile. */
  private keeps(now: Member): boolean {
    const before = this.lastMember;
    return (
      before?.memberId === now.memberId &&
      (now.generationId === before.generationId || now.generationId === before.generationId + 1)
    );
  }

  private lose(reason: string): void {
    this.member = undefined;
    this.lastMember = undefined;
    this.lease.end();
    this.joiningSince ??= this.settings.monotonic();
    this.events.lost(reason);
  }

  private listen(): void {
    const { consumer } = this;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const now = this.joining;
      if (this.closed || now === undefined) return;
      const kept = this.keeps(now);
      this.joiningSince = undefined;
      this.events.joined(payload.memberAssignment, kept);
      this.member = { memberId: now.memberId, generationId: now.generationId };
      this.lastMember = this.member;
      this.joinedOnce = true;
    });
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (this.closed || payload.batchSize > 0) return;
      this.events.passed(payload.topic, payload.partition, Number(payload.lastOffset) + 1);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => this.end(`kafkajs gave up: ${payload.error.message}`));
  }

  private take({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const last = batch.messages.at(-1);
    if (!this.closed && last !== undefined && this.events.batch(batch)) resolveOffset(last.offset);
    return Promise.resolve();
  }
}
