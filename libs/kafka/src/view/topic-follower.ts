import type { Clock, Logger } from '@hookline/platform';
import type { Cluster, Kafka } from 'kafkajs';
import { openCluster, type ClusterAccess } from '../reader/cluster-access.js';
import { fetchFrom, type ReadRecord } from '../reader/fetch.js';

/** Who wants to know what the follower reads. */
export interface FollowerSink {
  record(record: ReadRecord): void;
  /** Every record that the partition had at `at` (ms since the epoch) has been handed over. */
  atEnd(partition: number, at: number): void;
  /** The partitions of the topic, at the beginning of each session. */
  partitions(all: readonly number[]): void;
}

/** An idle fetch is held by the broker for this long. */
const MAX_WAIT_MS = 500;
const MAX_BYTES = 4_194_304;
/** Whatever takes longer is given up, with its connections: a hung broker keeps them open and never answers. */
const ANSWER_MS = 6_000;
const PAUSE_MS = 500;

/** One set of connections; what is still answered after it is over counts for nothing. */
interface Session {
  cluster: Cluster;
  ends: ReadonlyMap<number, number>;
  over: boolean;
}

/**
 * Reads a topic from its beginning and then follows it, outside of any group: there is no coordinator to hang, no
 * offset to commit and no group to clean up, and each fetch says where the log ends. Whatever goes wrong, it
 * connects anew, beginning with another broker, and goes on where it was.
 */
export class TopicFollower {
  private readonly positions = new Map<number, number>();
  private readonly stopping = new AbortController();
  private readonly closing = new Set<Promise<void>>();
  private running: Promise<void> | undefined;

  /** @param connect a client for each session; with the session's number it can begin with another broker */
  constructor(
    private readonly connect: (session: number) => Kafka,
    private readonly topic: string,
    private readonly sink: FollowerSink,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
    await this.bounded(Promise.all(this.closing)).catch(() => undefined);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let session = 0; !signal.aborted; session += 1) {
      try {
        await this.follow(session);
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn({ err: error, topic: this.topic }, 'following the topic failed; it is tried again');
        await this.abortable(new Promise<void>((resolve) => this.clock.after(PAUSE_MS, resolve))).catch(
          () => undefined,
        );
      }
    }
  }

  private async follow(session: number): Promise<void> {
    const opening = openCluster(this.connect(session), this.topic);
    let access: ClusterAccess;
    try {
      access = await this.bounded(opening);
    } catch (error) {
      this.close(opening);
      throw error;
    }
    const { cluster } = access;
    const current: Session = { cluster, ends: new Map(), over: false };
    try {
      current.ends = await this.bounded(this.endOffsets(cluster));
      for (;;) await this.round(current);
    } finally {
      current.over = true;
      this.close(opening);
    }
  }

  /**
   * Asked for by name, for a leader that is new to it may still answer a fetch with an older end than was acknowledged.
   * It refuses to tell it here.
   */
  private async endOffsets(cluster: Cluster): Promise<Map<number, number>> {
    const partitions = cluster.findTopicPartitionMetadata(this.topic).map(({ partitionId }) => partitionId);
    if (partitions.length === 0) throw new Error(`the topic ${this.topic} is not there`);
    const ends = await this.offsets(cluster, partitions, false);
    const starts = await this.offsets(
      cluster,
      partitions.filter((partition) => !this.positions.has(partition)),
      true,
    );
    for (const [partition, start] of starts) this.positions.set(partition, start);
    this.sink.partitions(partitions);
    return ends;
  }

  private async offsets(cluster: Cluster, partitions: number[], fromBeginning: boolean): Promise<Map<number, number>> {
    if (partitions.length === 0) return new Map();
    const wanted = { topic: this.topic, partitions: partitions.map((partition) => ({ partition })), fromBeginning };
    const [answer] = await cluster.fetchTopicsOffset([wanted]);
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /** One fetch from each leader. */
  private async round(session: Session): Promise<void> {
    const leaders = session.cluster.findLeaderForPartitions(this.topic, [...session.ends.keys()]);
    await this.bounded(
      Promise.all(Object.entries(leaders).map(([leader, partitions]) => this.fetch(session, leader, partitions))),
    );
  }

  private async fetch(session: Session, leader: string, partitions: number[]): Promise<void> {
    const broker = await session.cluster.findBroker({ nodeId: leader });
    const asked = this.clock.now();
    const targets = partitions.map((partition) => ({ partition, offset: this.positions.get(partition) ?? 0 }));
    const answers = await fetchFrom(broker, this.topic, targets, { maxWaitMs: MAX_WAIT_MS, maxBytes: MAX_BYTES }).catch(
      (error: unknown) => this.fromTheBeginning(error, partitions),
    );
    if (session.over) return;
    const nothing = answers.every(({ records }) => records.length === 0);
    for (const { partition, records, next, highWatermark } of answers) {
      for (const record of records) this.sink.record(record);
      // No record below the end, and none elsewhere that used up the bytes: compaction left a hole there.
      const position = nothing ? Math.max(next, highWatermark) : next;
      this.positions.set(partition, position);
      if (position >= highWatermark && position >= (session.ends.get(partition) ?? 0))
        this.sink.atEnd(partition, asked);
    }
  }

  /** The log was made anew, or deleted below us: what is known stays, for the versions decide. */
  private fromTheBeginning(error: unknown, partitions: number[]): never {
    if ((error as Error).name === 'KafkaJSOffsetOutOfRange')
      for (const partition of partitions) this.positions.delete(partition);
    throw error;
  }

  private close(opening: Promise<ClusterAccess>): void {
    const closed = opening.then((access) => access.disconnect()).catch(() => undefined);
    this.closing.add(closed);
    void closed.then(() => this.closing.delete(closed));
  }

  /** The promise, unless it takes too long or the follower is stopped. */
  private async bounded<T>(promise: Promise<T>): Promise<T> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.clock.after(ANSWER_MS, () => reject(new Error(`no answer from Kafka within ${ANSWER_MS} ms`)));
    });
    try {
      return await this.abortable(Promise.race([promise, late]));
    } finally {
      cancel();
    }
  }

  private abortable<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    if (signal.aborted) return promise;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }
}
