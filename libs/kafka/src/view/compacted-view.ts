import { decodeCompacted, GENESIS_KEY, UnreadableRecord, type Versioned } from '@hookline/contracts';
import type { Clock, Logger } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import type { ReadRecord } from '../reader/fetch.js';
import { TopicFollower } from './topic-follower.js';

/** Where a view keeps what the topic says: a map is one, and so is whoever makes something of the records. */
export interface Entries<T> {
  readonly size: number;
  get(key: string): T | undefined;
  set(key: string, value: T): unknown;
  delete(key: string): unknown;
}

export interface CompactedViewOptions<T> {
  topic: string;
  /** A client for each session; `brokersInTurn` makes it begin with another broker each time. */
  connect: (session: number) => Kafka;
  clock: Clock;
  logger: Logger;
  /** It is told of each change, in the topic's order. A map, where nothing else is said. */
  entries?: Entries<T>;
}

/**
 * What a compacted topic says at the moment, in memory. It is complete once it has read up to the end offsets that it
 * met at start *and* has seen the topic's genesis record: a topic that is empty, because it was just made or was lost,
 * is not mistaken for one that says nothing.
 */
export class CompactedView<T extends Versioned> {
  private readonly entries: Entries<T>;
  private readonly atEnd = new Map<number, number>();
  private readonly completion: Promise<void>;
  private completed: () => void = () => undefined;
  private gaveUp: (reason: Error) => void = () => undefined;
  private readonly follower: TopicFollower;
  private genesis = false;
  private complete = false;
  private skipped = 0;

  constructor(private readonly options: CompactedViewOptions<T>) {
    this.entries = options.entries ?? new Map<string, T>();
    const sink = {
      record: (record: ReadRecord): void => this.take(record),
      atEnd: (partition: number, at: number): void => this.reached(partition, at),
      partitions: (all: readonly number[]): void => this.expect(all),
    };
    this.follower = new TopicFollower(options.connect, options.topic, sink, options.clock, options.logger);
    this.completion = new Promise((resolve, reject) => {
      this.completed = resolve;
      this.gaveUp = reject;
    });
    // Nobody has to wait for it.
    this.completion.catch(() => undefined);
  }

  start(): void {
    this.follower.start();
  }

  /** Rejects {@link ready} if it is still waited for. */
  async stop(): Promise<void> {
    this.gaveUp(new Error(`the view of ${this.options.topic} was stopped`));
    await this.follower.stop();
  }

  /** Resolves when the view is complete; it stays so. */
  ready(): Promise<void> {
    return this.completion;
  }

  get isComplete(): boolean {
    return this.complete;
  }

  get(key: string): T | undefined {
    return this.entries.get(key);
  }

  /** How long ago it was known to hold everything that the topic has, ms; infinite before it is complete. */
  staleForMs(): number {
    if (!this.complete) return Infinity;
    return this.options.clock.now() - Math.min(...this.atEnd.values());
  }

  /** Records that could not be read, and were left out. */
  get unreadable(): number {
    return this.skipped;
  }

  private expect(partitions: readonly number[]): void {
    for (const partition of partitions) if (!this.atEnd.has(partition)) this.atEnd.set(partition, -Infinity);
  }

  private reached(partition: number, at: number): void {
    this.atEnd.set(partition, at);
    if (this.complete || Math.min(...this.atEnd.values()) === -Infinity || !this.genesis) return;
    this.complete = true;
    this.options.logger.info({ topic: this.options.topic, entries: this.entries.size }, 'the view is complete');
    this.completed();
  }

  private take({ key: keyBytes, value: bytes, partition, offset }: ReadRecord): void {
    const key = keyBytes?.toString('utf8');
    if (key === GENESIS_KEY) {
      this.genesis = true;
      return;
    }
    try {
      if (key === undefined) throw new UnreadableRecord('a compacted record without a key');
      this.apply(key, bytes === null ? undefined : decodeCompacted<T>(bytes));
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      this.skipped += 1;
      this.options.logger.error({ err: error, topic: this.options.topic, partition, offset }, 'a record was left out');
    }
  }

  private apply(key: string, value: T | undefined): void {
    const known = this.entries.get(key);
    if (value === undefined ? known === undefined : known !== undefined && known.version >= value.version) return;
    if (value === undefined) this.entries.delete(key);
    else this.entries.set(key, value);
  }
}
