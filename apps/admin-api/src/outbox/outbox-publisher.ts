import { TOPICS } from '@hookline/contracts';
import { OUTBOX_CHANNEL, type PendingSubscription, type Session } from '@hookline/persistence';
import { SessionLoop } from '../database/session-loop.js';
import type { CompactedTail } from './compacted-tail.js';
import type { OutboxObserver } from './outbox-metrics.js';
import {
  deleteRows,
  keepStamps,
  oldestRows,
  type OutboxRow,
  type PlacedRow,
  type SubscriptionRow,
} from './outbox-rows.js';
import { writeRecords, type Term, type TopicRecord } from './term.js';
import { TopicMender, type TopicMenderParts } from './topic-mender.js';
import { VersionStamps } from './version-stamps.js';

/** "hook" as a number: the first part of the advisory locks of admin-api. */
const LOCK_KIND = 0x686f6f6b;
const LOCK_KEY = 'outbox';

export interface OutboxPublisherParts extends TopicMenderParts {
  openSession: () => Promise<Session>;
  /** A new one for each time that this process becomes the writer. */
  openTails: () => CompactedTail[];
  observer: OutboxObserver;
}

export interface OutboxPublisherSettings {
  /** How often the outbox is looked at where nobody calls. */
  pollMs: number;
  /** How often the topics are looked at: each look costs Kafka some requests, also where nothing is new. */
  watchMs: number;
  batch: number;
}

/**
 * Brings changes from PostgreSQL to the compacted topics, and what was expunged. One process at a time is the writer, by an
 * advisory lock; it publishes in the order of the outbox and deletes what Kafka has acknowledged, so a crash in between repeats a
 * record and loses none. A writer that was frozen and wakes may still put an old record after a new one: the
 * writer reads the topics as well, and writes again whatever is older there than its row.
 */
export class OutboxPublisher {
  private readonly loop: SessionLoop;
  private readonly mender: TopicMender;

  constructor(
    private readonly parts: OutboxPublisherParts,
    private readonly settings: OutboxPublisherSettings,
  ) {
    const { openSession, logger } = parts;
    const interrupted = 'publishing changes was interrupted; it is tried again';
    this.loop = new SessionLoop({ openSession, serve: (...on) => this.serve(...on), logger, interrupted });
    this.mender = new TopicMender(parts, settings.batch);
  }

  start(): void {
    this.loop.start();
  }

  /** Lets the other processes have the lock. What is out is not waited for: it stays in the outbox. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async serve(session: Session, signal: AbortSignal): Promise<void> {
    const { observer, logger } = this.parts;
    try {
      await this.loop.locked(session, LOCK_KIND, LOCK_KEY, this.settings.pollMs, signal);
      observer.writing(true);
      logger.info({}, 'this process publishes the changes of subscriptions and keys');
      await session.listen(OUTBOX_CHANNEL, this.loop.wake.call);
      await this.write(session, signal);
    } finally {
      observer.writing(false);
    }
  }

  private async write(session: Session, signal: AbortSignal): Promise<void> {
    const tails = this.parts.openTails();
    const stamps = new VersionStamps(tails.find(({ topic }) => topic === TOPICS.subscriptions));
    const term: Term = { session, stamps, signal };
    for (const tail of tails) await tail.catchUp(signal);
    while ((await this.publish(term)) > 0);
    for (const tail of tails) await this.mender.begin(tail, term);
    let watchedAt = this.parts.clock.now();
    for (;;) {
      while ((await this.publish(term)) > 0);
      if (this.parts.clock.now() - watchedAt >= this.settings.watchMs) {
        for (const tail of tails) await this.mender.watch(tail, term);
        stamps.forget();
        watchedAt = this.parts.clock.now();
      }
      await this.loop.wake.wait(Math.min(this.settings.pollMs, this.settings.watchMs), signal);
      signal.throwIfAborted();
    }
  }

  /** @returns how many rows were published and deleted */
  private async publish(term: Term): Promise<number> {
    const rows = await oldestRows(term.session, this.settings.batch);
    this.parts.observer.pending(rows.length);
    if (rows.length === 0) return 0;
    await this.place(rows, term);
    await writeRecords(this.parts.output, rows as TopicRecord[], term.signal);
    await deleteRows(term.session, rows);
    this.parts.observer.published(rows.length);
    return rows.length;
  }

  /** Stamps what is not stamped yet, and keeps that. */
  private async place(rows: readonly OutboxRow[], { session, stamps }: Term): Promise<void> {
    const ours = rows.filter(isOfSubscription);
    const events = ours.every(isPlaced) ? [] : await this.parts.offsets.bounds(TOPICS.events);
    await stamps.recall(
      session,
      ours.filter((row) => !isPlaced(row)).map(({ key, payload }) => ({ id: key, version: payload.version })),
      events,
    );
    const placed: PlacedRow[] = [];
    for (const row of ours) {
      if (isPlaced(row)) stamps.note(row.payload);
      else {
        row.payload = stamps.stamp(row.payload as PendingSubscription, events);
        placed.push(row as PlacedRow);
      }
    }
    if (placed.length > 0) await keepStamps(session, placed);
  }
}

function isOfSubscription(row: OutboxRow): row is SubscriptionRow {
  return row.topic === TOPICS.subscriptions;
}

function isPlaced(row: SubscriptionRow): row is PlacedRow {
  return 'holdsFrom' in row.payload;
}
