import type { Clock } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import type { KafkaLogger } from '../client.js';
import { DeadlineTimer } from './deadline-timer.js';
import { FlushScheduler } from './flush-scheduler.js';
import { IdempotentProducer } from './idempotent-producer.js';
import { NotDurable, type Appended, type OutgoingRecord, type Output } from './output.js';
import { PendingRecord } from './pending-record.js';
import { silentObserver, type PumpObserver } from './pump-observer.js';
import { earliestDeadline } from './record-queue.js';
import { TopicLayout } from './topic-layout.js';
import { atMost } from './waiting.js';

export interface PumpSettings {
  /** Records in one send at most. */
  maxFlushRecords: number;
  /** Bytes in one send at most; a single record may be larger. */
  maxFlushBytes: number;
  /** Bytes of a record at most; the broker's own limit may be lower. */
  maxRecordBytes: number;
  /** Bytes that wait or are out at most; beyond, `overloaded`. */
  maxBufferedBytes: number;
  /** How long a flush of records without a key may be out before the next one goes to another leader. */
  patienceMs: number;
  /**
   * How long what is in no hurry is gathered, 0 by default: from the start of one flush of records without a key to that of the
   * next of their topic, at least; and how long an unhurried record waits for another to its leader, at most.
   */
  gatherMs?: number;
  /** From one round of sends to the next, at least, where the former was no small one; 0: never a wait. */
  roundIntervalMs: number;
  /** How often the leaders are looked up without a reason. */
  layoutRefreshMs: number;
}

export interface PumpParts {
  kafka: Kafka;
  clock: Clock;
  logger: KafkaLogger;
  observer?: PumpObserver;
  /** A leader has just said when it appended something, ms since the epoch by its own clock. */
  onAppended?: (leader: number, appendTime: number) => void;
}

/**
 * The one way into Kafka. Records wait while a send to their leader is out and, under load, for the next round of sends;
 * then they leave together.
 * A record that was sent is sent again until the broker has said yes or no, also when its caller has long gone.
 */
export class ProducerPump implements Output {
  private readonly stopped = new AbortController();
  private readonly layout: TopicLayout;
  private readonly scheduler: FlushScheduler;
  private readonly deadlines: DeadlineTimer;
  private accepting = true;
  private records = 0;
  private bytes = 0;
  private onEmpty: () => void = () => undefined;
  private onLeaders: () => void = () => undefined;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly parts: PumpParts,
    private readonly settings: PumpSettings,
  ) {
    const { kafka, clock, logger, observer = silentObserver, onAppended } = parts;
    const stopped = this.stopped.signal;
    this.layout = new TopicLayout(kafka, clock, logger, settings.layoutRefreshMs, stopped, (topic, leaders) => {
      for (const record of this.scheduler.update(topic, leaders)) this.route(record);
      this.onLeaders();
    });
    this.scheduler = new FlushScheduler(
      () => new IdempotentProducer(kafka, clock),
      settings,
      { clock, logger, observer, stopped, onStale: () => this.layout.refresh(), onAppended },
      (record) => this.release(record),
    );
    this.deadlines = new DeadlineTimer(clock, (now) => this.expire(now));
  }

  /** What waits or is out. */
  get depth(): { records: number; bytes: number } {
    return { records: this.records, bytes: this.bytes };
  }

  /**
   * Resolves when the leaders of `topics` are known and connected to, or the pump is stopped; other topics are
   * looked up when they are first written to.
   */
  async start(topics: readonly string[] = []): Promise<void> {
    for (const topic of topics) this.layout.add(topic);
    while (!this.stopped.signal.aborted && !topics.every((topic) => this.scheduler.knows(topic))) {
      await new Promise<void>((resolve) => {
        this.onLeaders = resolve;
      });
    }
    await this.scheduler.warm();
  }

  produce(record: OutgoingRecord, deadlineMs = Infinity): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (!this.accepting) return reject(new NotDurable('stopped', 'the pump has stopped'));
      const deadlineAt = deadlineMs === Infinity ? Infinity : this.parts.clock.now() + deadlineMs;
      let pending: PendingRecord;
      try {
        pending = new PendingRecord(record, deadlineAt, resolve, reject);
      } catch (error) {
        return reject(new NotDurable('refused', `the record can't be encoded: ${String(error)}`));
      }
      const { maxRecordBytes, maxBufferedBytes } = this.settings;
      if (pending.bytes > maxRecordBytes) {
        return pending.fail('refused', `the record has ${pending.bytes} bytes, more than ${maxRecordBytes}`);
      }
      if (this.bytes + pending.bytes > maxBufferedBytes) {
        return pending.fail('overloaded', `${this.bytes} bytes wait for Kafka already`);
      }
      this.records += 1;
      this.bytes += pending.bytes;
      if (deadlineAt !== Infinity) this.deadlines.note(deadlineAt);
      this.route(pending);
    });
  }

  /** Takes nothing more, waits up to `drainMs` for what it has, and rejects the rest. */
  stop(options: { drainMs: number }): Promise<void> {
    this.stopping ??= this.finish(options.drainMs);
    return this.stopping;
  }

  private route(record: PendingRecord): void {
    this.layout.add(record.topic);
    if (this.scheduler.add(record)) return;
    record.fail('refused', `${record.topic} has no partition ${record.partition}`);
    this.release(record);
  }

  private release(record: PendingRecord): void {
    this.records -= 1;
    this.bytes -= record.bytes;
    if (this.records === 0) this.onEmpty();
  }

  /** What has not left yet is dropped; what is out stays as it is, only its caller is told. */
  private expire(now: number): number {
    let earliest = Infinity;
    for (const queue of this.scheduler.queues()) {
      for (const record of queue.takeExpired(now)) {
        record.fail('deadline', 'not sent in time');
        this.release(record);
      }
      earliest = Math.min(earliest, queue.earliestDeadline());
    }
    const out = [...this.scheduler.inFlight()];
    for (const record of out) if (record.deadlineAt <= now) record.fail('deadline', 'not acknowledged in time');
    return Math.min(earliest, earliestDeadline(out));
  }

  private async finish(drainMs: number): Promise<void> {
    this.accepting = false;
    if (this.records > 0) {
      const empty = new Promise<void>((resolve) => {
        this.onEmpty = resolve;
      });
      await atMost(this.parts.clock, drainMs, empty);
    }
    this.stopped.abort();
    this.deadlines.stop();
    this.onLeaders();
    for (const record of this.scheduler.inFlight()) record.fail('stopped', 'not acknowledged before the stop');
    for (const queue of this.scheduler.queues()) {
      for (const record of queue.takeAll()) {
        record.fail('stopped', 'not sent before the stop');
        this.release(record);
      }
    }
    await Promise.all([this.scheduler.close(), this.layout.close()]);
  }
}
