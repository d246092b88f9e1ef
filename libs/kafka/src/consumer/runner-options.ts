import type { Admin, Kafka, PartitionAssigner } from 'kafkajs';
import type { Clock } from '@hookline/platform';
import type { Assignment, BatchHandler } from './record.js';
import type { AgedOut, RunnerObserver } from './runner-observer.js';

/** What the runner logs with; pino's logger fits. */
export interface RunnerLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** The bytes of a record are those of its key, headers and value. */
export interface Bounds {
  records: number;
  bytes: number;
}

/** Where a partition starts when it is taken over. */
export interface RestoredProgress {
  /** The first offset whose outcome isn't known. */
  watermark: number;
  /** The first offset that will be handed over; below the watermark where the runner was asked to look back. */
  start: number;
  /** The end of the log when it was looked at: the offset that the next record gets. */
  end: number;
  /** Nothing at or above it was complete; at least the watermark. */
  completeTo: number;
  /** Nobody of the group has ever committed anything here: there was no owner before. */
  isFirst: boolean;
  /** Whether a record is known to be complete, as of now: one that is not, and is in the log, will be handed over. */
  isComplete(offset: number): boolean;
}

/** Where to start reading: at or below the watermark; the log's start is the least. */
export type LookBack = (topic: string, partition: number, watermark: number, admin: Admin) => Promise<number>;

/** A store of positions that overrides Kafka's: for a consumer that writes its offsets together with its rows. */
export interface PositionStore {
  /**
   * The next offset to read of each partition, by {@link partitionKey}; one that is missing starts at the log's
   * beginning. Called again after a pause when it rejects.
   */
  read(partitions: readonly { topic: string; partition: number }[]): Promise<ReadonlyMap<string, number>>;
}

/**
 * @param log what the log has of the partition now: from `low` (inclusive) to `high` (exclusive)
 * @returns what of the gap nobody has told before, for another owner may have, and gone before it committed anything
 */
export type OnAgedOut = (gap: AgedOut, log: { low: number; high: number }) => Promise<AgedOut | undefined>;

/** Where a partition stood when that was last written down. */
export interface Witnessed {
  watermark: number;
  /** ms since the epoch */
  at: number;
}

/**
 * A second memory of how far the group has come: Kafka's own expires with an empty group, and kafkajs overwrites it with
 * nothing when an offset is out of range. It never says where to go on, only what was not read when the log let go of it.
 */
export interface ProgressWitness {
  /** By {@link partitionKey}; what nobody wrote about is left out. Called again after a pause when it rejects. */
  read(admin: Admin): Promise<ReadonlyMap<string, Witnessed>>;
  write(topic: string, partition: number, watermark: number): Promise<void>;
}

export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`;

export interface RunnerOptions {
  kafka: Kafka;
  groupId: string;
  /** They must exist. */
  topics: readonly string[];
  handler: BatchHandler;
  clock: Clock;
  logger: RunnerLogger;
  observer?: RunnerObserver;

  /** How often progress is committed; ms, 250 by default. */
  commitIntervalMs?: number;
  /**
   * A partition that has this much in flight is paused, until it has half of it. What is held in memory may be
   * above by one fetch (`maxBytesPerPartition`). By default 5,000 records or 16 MiB.
   */
  highWater?: Partial<Bounds>;
  /**
   * Nothing is handed over at this many records in flight over all partitions, until a tenth of that is free; none by
   * default. Those that were set aside don't count. What was fetched meanwhile (`maxBytesPerPartition` and half of it, of
   * each partition) waits.
   */
  maxInFlightTotal?: number;
  lookBack?: LookBack;
  positions?: PositionStore;
  witness?: ProgressWitness;
  /** How often {@link witness} is told; ms, 30,000 by default. */
  witnessIntervalMs?: number;
  /**
   * Records that the log let go of before they were read. The partition is not read before this resolves, and it is called
   * again after a pause when it rejects: no age-out is passed over in silence.
   */
  onAgedOut?: OnAgedOut;
  /** `co-partitioned`: partition p of every topic goes to one member, and stays there as far as it can (the default). */
  assigner?: 'co-partitioned' | PartitionAssigner;
  /** Topics whose records stay in flight on purpose (until they are due): no reason to call the runner stalled. */
  waitsOnPurpose?: (topic: string) => boolean;
  /**
   * Topics whose records are of no use for some seconds: a partition that was read to its end is left alone for a moment, so
   * that many small writes are few fetches.
   */
  mayRest?: (topic: string) => boolean;

  /** Called before the partition's first record, when its progress is restored. */
  onAssigned?: (assignment: Assignment, progress: RestoredProgress) => void;
  /** Called after the signal is aborted. */
  onRevoked?: (assignment: Assignment) => void;

  /** After so long without a heartbeat the group gives the partitions away; ms, 15,000 by default. */
  sessionTimeoutMs?: number;
  /** ms, 1,000 by default. */
  heartbeatIntervalMs?: number;
  /** How long the group waits for a member to join again; at least the session timeout; ms, 30,000 by default. */
  rebalanceTimeoutMs?: number;
  /** How long a fetch waits for something to read, and how long the loop sleeps when all is paused; ms, 100 by default. */
  maxWaitMs?: number;
  /**
   * A fetch comes back before `maxWaitMs` once a broker has so many bytes; 1 by default. More makes fetches few, for
   * one who need not be quick.
   */
  minBytes?: number;
  maxBytesPerPartition?: number;
  /** The pause before a rejected record is tried again doubles from `firstMs` to `mostMs`; 100 and 5,000 by default. */
  retry?: { firstMs: number; mostMs: number };
  /** Without a heartbeat or a fetch for so long, the consumer is made anew; ms, 25,000 by default. */
  watchdogMs?: number;
  /** With a backlog and no progress for so long, {@link OffsetRunner.health} says so; ms, 60,000 by default. */
  stallMs?: number;
  /** How long `stop()` waits for what is in flight; ms, 20,000 by default. */
  drainMs?: number;
  /** Monotonic milliseconds, for the age of the last heartbeat; `performance.now` by default. */
  monotonic?: () => number;
}

export type RunnerSettings = Required<
  Pick<
    RunnerOptions,
    | 'commitIntervalMs'
    | 'witnessIntervalMs'
    | 'sessionTimeoutMs'
    | 'heartbeatIntervalMs'
    | 'rebalanceTimeoutMs'
    | 'maxWaitMs'
    | 'minBytes'
    | 'maxBytesPerPartition'
    | 'retry'
    | 'watchdogMs'
    | 'stallMs'
    | 'drainMs'
    | 'maxInFlightTotal'
    | 'monotonic'
  >
> & { highWater: Bounds };

/** @throws RangeError when the times contradict one another */
export function runnerSettings(options: RunnerOptions): RunnerSettings {
  const settings: RunnerSettings = {
    commitIntervalMs: options.commitIntervalMs ?? 250,
    witnessIntervalMs: options.witnessIntervalMs ?? 30_000,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 15_000,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 1_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
    maxWaitMs: options.maxWaitMs ?? 100,
    minBytes: options.minBytes ?? 1,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 1_048_576,
    retry: options.retry ?? { firstMs: 100, mostMs: 5_000 },
    watchdogMs: options.watchdogMs ?? 25_000,
    stallMs: options.stallMs ?? 60_000,
    drainMs: options.drainMs ?? 20_000,
    maxInFlightTotal: options.maxInFlightTotal ?? Number.POSITIVE_INFINITY,
    monotonic: options.monotonic ?? (() => performance.now()),
    highWater: { records: options.highWater?.records ?? 5_000, bytes: options.highWater?.bytes ?? 16 * 1_048_576 },
  };
  // A member whose rejoin is awaited for less than its session would lose its partitions while it may still act.
  if (settings.rebalanceTimeoutMs < settings.sessionTimeoutMs) {
    throw new RangeError('rebalanceTimeoutMs must be at least sessionTimeoutMs');
  }
  if (settings.heartbeatIntervalMs * 3 > settings.sessionTimeoutMs) {
    throw new RangeError('heartbeatIntervalMs must be at most a third of sessionTimeoutMs');
  }
  return settings;
}
