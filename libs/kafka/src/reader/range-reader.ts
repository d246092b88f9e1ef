import type { Cluster, Kafka } from 'kafkajs';
import { openCluster } from './cluster-access.js';
import { fetchFrom, type Fetched, type FetchLimits, type FetchTarget, type ReadRecord } from './fetch.js';

/** What to read of one partition. */
export interface OffsetRange {
  partition: number;
  /** Inclusive. */
  from: number;
  /** Exclusive; at most the log's end when the reading begins. */
  to: number;
}

export interface ReadBatch {
  partition: number;
  /** In log order; may be empty where the log has nothing but markers or holes. */
  records: ReadRecord[];
  /** Everything of this partition below it has been read: where a later reading goes on. */
  next: number;
  /** Offsets that retention had deleted before they could be read. 0 unless the log start overtook the reading. */
  gone: number;
}

export interface RangeReaderOptions {
  /** Bytes that one fetch from one broker asks for at most; two of each broker's are in memory. */
  maxBytes?: number;
  maxWaitMs?: number;
  /** The pause after a fetch that failed, ms. */
  retryMs?: number;
}

/**
 * Reads exact ranges of a topic, outside of any consumer group: nothing is committed, no one's offsets are touched.
 *
 * It ends by itself at `to`, also where the last offsets are not there any more (compacted, deleted, or transaction
 * markers). While a leader is away it waits for the next one; the caller bounds that with the signal. Records of
 * aborted transactions are not told apart: nobody writes to these topics in transactions.
 */
export class RangeReader {
  private readonly limits: FetchLimits;
  private readonly retryMs: number;

  constructor(
    private readonly kafka: Kafka,
    options: RangeReaderOptions = {},
  ) {
    this.limits = { maxBytes: options.maxBytes ?? 4_194_304, maxWaitMs: options.maxWaitMs ?? 100 };
    this.retryMs = options.retryMs ?? 250;
  }

  /**
   * The next round is fetched while the caller works on the last one, and no further: that is the backpressure.
   * @throws the signal's reason when it is aborted
   */
  async *read(topic: string, ranges: readonly OffsetRange[], signal?: AbortSignal): AsyncGenerator<ReadBatch> {
    const open = new Map(ranges.filter((r) => r.from < r.to).map((r) => [r.partition, { ...r }]));
    if (open.size === 0) return;
    signal?.throwIfAborted();
    const { cluster, disconnect } = await openCluster(this.kafka, topic);
    const abandoned = abandonment(signal);
    try {
      let round = this.round(cluster, topic, open, abandoned.signal);
      for (;;) {
        const batches = await raced(round, abandoned.signal);
        const ended = open.size === 0;
        if (!ended) {
          round = this.round(cluster, topic, open, abandoned.signal);
          // Should it fail while the caller still works on these batches: the next turn awaits it, if there is one.
          round.catch(() => undefined);
        }
        for (const batch of batches) {
          signal?.throwIfAborted();
          yield batch;
        }
        if (ended) return;
      }
    } finally {
      abandoned.abort();
      await disconnect();
    }
  }

  /** One fetch from each leader; moves the ranges on and closes those that are read. */
  private async round(
    cluster: Cluster,
    topic: string,
    open: Map<number, OffsetRange>,
    signal: AbortSignal,
  ): Promise<ReadBatch[]> {
    const targets = [...open.values()].map((range) => ({ partition: range.partition, offset: range.from }));
    const answers = await Promise.all(
      this.byLeader(cluster, topic, targets).map(([leader, part]) => this.fetch(cluster, topic, leader, part, signal)),
    );
    return answers.flat().flatMap((answer) => advance(open, answer));
  }

  private byLeader(cluster: Cluster, topic: string, targets: FetchTarget[]): [string | undefined, FetchTarget[]][] {
    const leaders = new Map<string | undefined, FetchTarget[]>();
    const metadata = new Map(cluster.findTopicPartitionMetadata(topic).map((m) => [m.partitionId, m]));
    for (const target of targets) {
      const known = metadata.get(target.partition);
      const leader = known === undefined || known.leader < 0 ? undefined : String(known.leader);
      leaders.set(leader, [...(leaders.get(leader) ?? []), target]);
    }
    return [...leaders];
  }

  private async fetch(
    cluster: Cluster,
    topic: string,
    leader: string | undefined,
    targets: FetchTarget[],
    signal: AbortSignal,
  ): Promise<(Fetched & { gone: number; hole: boolean })[]> {
    try {
      if (leader === undefined) throw new Error('a partition has no leader');
      const broker = await cluster.findBroker({ nodeId: leader });
      const answers = await fetchFrom(broker, topic, targets, this.limits);
      // Nothing below the log's end, and nothing else in the answer that could have used up its bytes: a hole.
      const quiet = answers.every((answer) => answer.records.length === 0);
      return answers.map((answer) => ({ ...answer, gone: 0, hole: quiet }));
    } catch (error) {
      const out = outOfRange(error);
      if (out !== undefined) return this.logStart(cluster, topic, out, targets);
      await pause(this.retryMs, signal);
      if (signal.aborted) return [];
      await cluster.refreshMetadata().catch(() => undefined);
      return [];
    }
  }

  /** Retention has overtaken the reading: go on where the log begins, and say how much is missing. */
  private async logStart(
    cluster: Cluster,
    topic: string,
    partition: number,
    targets: readonly FetchTarget[],
  ): Promise<(Fetched & { gone: number; hole: boolean })[]> {
    const [starts] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
    const start = Number(starts?.partitions[0]?.offset);
    const from = targets.find((target) => target.partition === partition)?.offset;
    if (from === undefined || !(start > from)) return [];
    return [{ partition, records: [], next: start, highWatermark: 0, gone: start - from, hole: false }];
  }
}

function advance(open: Map<number, OffsetRange>, answer: Fetched & { gone: number; hole: boolean }): ReadBatch[] {
  const range = open.get(answer.partition);
  if (range === undefined) return [];
  const hole = answer.hole && answer.next === range.from && answer.highWatermark >= range.to;
  const next = hole ? range.to : Math.min(answer.next, range.to);
  if (next === range.from) return [];
  const gone = Math.min(answer.gone, next - range.from);
  range.from = next;
  if (next >= range.to) open.delete(answer.partition);
  return [{ partition: answer.partition, records: answer.records.filter((r) => r.offset < range.to), next, gone }];
}

/** The partition whose offset the log does not have; undefined for any other error. */
function outOfRange(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== 'KafkaJSOffsetOutOfRange') return undefined;
  return Number((error as Error & { partition: number }).partition);
}

/** Aborted with the caller's signal, or when the caller stops reading. */
function abandonment(signal: AbortSignal | undefined): { signal: AbortSignal; abort: () => void } {
  const own = new AbortController();
  return {
    signal: signal === undefined ? own.signal : AbortSignal.any([own.signal, signal]),
    abort: () => own.abort(),
  };
}

/** The promise, or the signal's reason if that comes first. */
function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
