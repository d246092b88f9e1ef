import { encodeCompacted, GENESIS_KEY, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import type { Output, TopicOffsets } from '@hookline/kafka';
import { OUTBOX_CHANNEL } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Session } from '../database/session.js';
import { unlessAborted } from '../database/unless-aborted.js';
import { WakeUp } from '../database/wake-up.js';
import type { CompactedTail } from './compacted-tail.js';
import type { CurrentRecords } from './current-records.js';
import type { OutboxObserver } from './outbox-metrics.js';
import { deleteRows, keepPositions, oldestRows, type OutboxRow } from './outbox-rows.js';

/** "hook" as a number: the first part of the advisory locks of admin-api. */
const LOCK_KIND = 0x686f6f6b;
const LOCK_KEY = 'outbox';

/** After something failed, ms. */
const RETRY_MS = 1_000;

export interface OutboxPublisherParts {
  openSession: () => Promise<Session>;
  current: CurrentRecords;
  /** A new one for each time that this process becomes the writer. */
  openTails: () => CompactedTail[];
  /** Where `hookline.events` ends. */
  offsets: Pick<TopicOffsets, 'bounds'>;
  output: Output;
  clock: Clock;
  logger: Logger;
  observer: OutboxObserver;
}

export interface OutboxPublisherSettings {
  pollMs: number;
  batch: number;
}

/**
 * Brings changes from PostgreSQL to the compacted topics. One process at a time is the writer, by an advisory lock;
 * it publishes in the order of the outbox and deletes what Kafka has acknowledged, so a crash in between repeats a
 * record and loses none. A writer that was frozen and wakes may still put an old record after a new one: the
 * writer reads the topics as well, and writes again whatever is older there than its row.
 */
export class OutboxPublisher {
  private readonly stopping = new AbortController();
  private readonly wake = new WakeUp();
  private running: Promise<void> | undefined;

  constructor(
    private readonly parts: OutboxPublisherParts,
    private readonly settings: OutboxPublisherSettings,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Lets the other processes have the lock. What is out is not waited for: it stays in the outbox. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const session = await this.parts.openSession();
        try {
          await this.serve(session);
        } finally {
          this.parts.observer.writing(false);
          await session.close();
        }
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.parts.logger.warn({ err: error }, 'publishing changes was interrupted; it is tried again');
        await this.wake.wait(RETRY_MS, this.stopping.signal);
      }
    }
  }

  private async serve(session: Session): Promise<void> {
    const signal = AbortSignal.any([session.lost, this.stopping.signal]);
    while (!(await session.tryLock(LOCK_KIND, LOCK_KEY))) {
      await this.wake.wait(this.settings.pollMs, signal);
      signal.throwIfAborted();
    }
    this.parts.observer.writing(true);
    this.parts.logger.info({}, 'this process publishes the changes of subscriptions and keys');
    await session.listen(OUTBOX_CHANNEL, this.wake.call);
    await this.write(session, signal);
  }

  private async write(session: Session, signal: AbortSignal): Promise<void> {
    const tails = this.parts.openTails();
    for (const tail of tails) await this.begin(tail, signal);
    while ((await this.publish(session, signal)) > 0);
    for (const tail of tails) await this.healAll(session, tail, signal);
    let watchedAt = this.parts.clock.now();
    for (;;) {
      while ((await this.publish(session, signal)) > 0);
      if (this.parts.clock.now() - watchedAt >= this.settings.pollMs) {
        for (const tail of tails) await this.watch(session, tail, signal);
        watchedAt = this.parts.clock.now();
      }
      await this.wake.wait(this.settings.pollMs, signal);
      signal.throwIfAborted();
    }
  }

  /** @returns how many rows were published and deleted */
  private async publish(session: Session, signal: AbortSignal): Promise<number> {
    const rows = await oldestRows(session, this.settings.batch);
    this.parts.observer.pending(rows.length);
    if (rows.length === 0) return 0;
    const unplaced = rows.filter((row) => row.topic === TOPICS.subscriptions && row.payload.holdsFrom === undefined);
    if (unplaced.length > 0) await keepPositions(session, unplaced, await this.endOfEvents());
    await this.produce(rows, signal);
    await deleteRows(session, rows);
    this.parts.observer.published(rows.length);
    return rows.length;
  }

  private async produce(
    rows: readonly Pick<OutboxRow, 'topic' | 'key' | 'payload'>[],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    await unlessAborted(
      Promise.all(
        rows.map(({ topic, key, payload }) =>
          this.parts.output.produce({ topic, key, value: encodeCompacted(payload as SubscriptionRecord) }),
        ),
      ),
      signal,
    );
  }

  private async begin(tail: CompactedTail, signal: AbortSignal): Promise<void> {
    await tail.catchUp(signal);
    if (tail.hasGenesis) return;
    const at = new Date(this.parts.clock.now()).toISOString();
    const value = encodeCompacted({ v: 1, genesis: true, at });
    await unlessAborted(this.parts.output.produce({ topic: tail.topic, key: GENESIS_KEY, value }), signal);
  }

  /** What others, and we, have written since: a topic that was made anew gets everything again. */
  private async watch(session: Session, tail: CompactedTail, signal: AbortSignal): Promise<void> {
    const hadGenesis = tail.hasGenesis;
    const stale = await tail.catchUp(signal);
    if (hadGenesis && !tail.hasGenesis) {
      await this.begin(tail, signal);
      await this.healAll(session, tail, signal);
    } else await this.heal(session, tail, stale, signal);
  }

  /** Compares every row with the topic; what is still in the outbox is on its way. */
  private async healAll(session: Session, tail: CompactedTail, signal: AbortSignal): Promise<void> {
    const versions = await this.parts.current.versions(tail.topic);
    await tail.catchUp(signal);
    const stale = [...versions].filter(([key, version]) => (tail.keys.get(key)?.lastVersion ?? 0) < version);
    await this.heal(
      session,
      tail,
      stale.map(([key]) => key),
      signal,
    );
  }

  private async heal(session: Session, tail: CompactedTail, keys: string[], signal: AbortSignal): Promise<void> {
    if (keys.length === 0) return;
    const waiting = await session.query<{ key: string }>('SELECT DISTINCT key FROM outbox WHERE topic = $1', [
      tail.topic,
    ]);
    const onTheirWay = new Set(waiting.map((row) => row.key));
    const stale = keys.filter((key) => !onTheirWay.has(key));
    for (let at = 0; at < stale.length; at += this.settings.batch) {
      const records = await this.parts.current.of(tail.topic, stale.slice(at, at + this.settings.batch));
      const holdsFrom = tail.topic === TOPICS.subscriptions ? await this.endOfEvents() : undefined;
      const rows = records.map((record) => {
        const known = tail.keys.get(record.id);
        const position = known?.maxVersion === record.version ? (known.holdsFrom ?? holdsFrom) : holdsFrom;
        return { topic: tail.topic, key: record.id, payload: position ? { ...record, holdsFrom: position } : record };
      });
      await this.produce(rows, signal);
      this.parts.observer.healed(rows.length);
      this.parts.logger.warn(
        { topic: tail.topic, keys: rows.map((row) => row.key) },
        'records that were missing or older than their rows were written again',
      );
    }
  }

  private async endOfEvents(): Promise<Record<string, number>> {
    const bounds = await this.parts.offsets.bounds(TOPICS.events);
    return Object.fromEntries(bounds.map(({ partition, high }) => [partition, high]));
  }
}
