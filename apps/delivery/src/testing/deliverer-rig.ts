import { deliverySection, loadConfig, type DeliveryConfig } from '@hookline/config';
import {
  decodeDeliveryHeaders,
  decodeOutcome,
  retryDelayOf,
  TOPICS,
  type OutcomeRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { RetryPolicy, type Outcome } from '@hookline/domain';
import type { SendResult } from '@hookline/http-delivery';
import type { Assignment, OutgoingRecord, Output } from '@hookline/kafka';
import { Metrics, silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { Attempter } from '../attempt/attempter.js';
import { Deliverer } from '../attempt/deliverer.js';
import { HANDED_OVER, type Entrance } from '../attempt/entrance.js';
import type { Origin } from '../attempt/guest.js';
import { Rooms } from '../attempt/rooms.js';
import type { Delivery } from '../delivery.js';
import { Handover } from '../handover/handover.js';
import { PatientOutput } from '../handover/patient-output.js';
import { DueQueue } from '../lanes/due-queue.js';
import { DeliveryMetrics } from '../metrics.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import { Target } from '../subscriptions/target.js';
import { subscriberOf, subscriptionRecord, testSealer, unheard } from './guests.js';

/** A deliverer with its rooms, an endpoint that answers as it is told, and a log that keeps what is written. */
export class DelivererRig {
  readonly clock = new TestClock();
  readonly settings: DeliveryConfig;
  readonly rooms: Rooms;
  readonly deliverer: Deliverer;
  readonly subscriber: Subscriber;
  /** Records that were deferred or are to be tried again. */
  lateRecords = 0;
  /** When each attempt began, ms. */
  readonly sentAt: number[] = [];
  written: OutgoingRecord[] = [];
  owner = true;
  answer: () => SendResult | Promise<SendResult> = () => ({ status: 204, durationMs: 1 });
  /** Whether what is deferred or retried comes again when it is due. */
  comesAgain = false;
  private readonly lane: DueQueue;
  private readonly policy: RetryPolicy;
  private readonly entrances: Readonly<Record<Origin, Entrance>>;
  private made = 0;
  private ownership = new AbortController();

  constructor(settings: Partial<DeliveryConfig> = {}, subscription: Partial<SubscriptionRecord> = {}) {
    const { clock } = this;
    const { delivery } = loadConfig({ delivery: deliverySection }, {});
    this.settings = { ...delivery, retryJitterPercent: 0, ...settings };
    this.lane = new DueQueue(clock);
    this.policy = new RetryPolicy(this.settings);
    const output: Output = { produce: async (record) => this.write(record) };
    const metrics = new DeliveryMetrics(new Metrics('delivery'), clock);
    const client = {
      send: async (): Promise<SendResult> => {
        this.sentAt.push(clock.now());
        return this.answer();
      },
    };
    this.rooms = new Rooms(this.settings, clock, { workers: () => 1, isOwner: () => true }, unheard());
    this.deliverer = new Deliverer(
      this.rooms,
      new Attempter(client, clock, silentLogger),
      new Handover(new PatientOutput(output, clock), metrics, () => this.owner),
      this.policy,
      this.settings,
      clock,
      metrics,
    );
    this.subscriber = subscriberOf(subscription);
    const owns = (): boolean => this.owner;
    const patienceMs = 5_000;
    const noRoom: Entrance['noRoom'] = (late, why, to) => this.deliverer.putOff(late, why, to);
    const event: Entrance = { from: 'event', patienceMs, owns, noRoom: () => Promise.resolve(HANDED_OVER) };
    const lane: Entrance = { from: 'lane', patienceMs, owns, noRoom };
    this.entrances = {
      event,
      lane,
      retry: { ...lane, from: 'retry' },
      replay: { ...lane, from: 'replay' },
      backfill: { ...lane, from: 'backfill' },
    };
  }

  /** Its lane goes to another worker, and comes back. */
  takenAway(): void {
    this.ownership.abort();
    this.ownership = new AbortController();
  }

  /** The subscription's next version. */
  change(change: Partial<SubscriptionRecord>): void {
    const record = this.subscriber.current?.record;
    const next = subscriptionRecord({ ...record, version: (record?.version ?? 0) + 1, ...change });
    this.subscriber.current = new Target(next, this.subscriber, testSealer);
  }

  delivery(change: Partial<Delivery['envelope']> = {}): Delivery {
    const source = { partition: 0, offset: this.made++, at: this.clock.now() };
    const { id: subscriptionId, tenant } = subscriptionRecord();
    return {
      envelope: {
        event: { tenant, id: `e${source.offset}`, type: 'order.created', time: '2026-01-01T00:00:00Z' },
        source,
        subscriptionId,
        deliveryId: `msg_${String(source.offset).padStart(32, '0')}`,
        attempts: 0,
        history: [],
        ...change,
      },
      body: Buffer.from('{}'),
      assignment: this.assignment(),
    };
  }

  deliver(from: Origin = 'lane', delivery = this.delivery()): Promise<Outcome> {
    return this.deliverer.deliver(delivery, this.subscriber, this.entrances[from]);
  }

  /** Records written to topics that this is true of; by default to all but the history. */
  topics(): string[] {
    return this.written.map(({ topic }) => topic).filter((topic) => topic !== TOPICS.attempts);
  }

  outcomes(): OutcomeRecord[] {
    return this.written
      .filter(({ topic }) => topic === TOPICS.attempts)
      .map(({ value }) => decodeOutcome(value as Buffer));
  }

  private assignment(): Assignment {
    const partsOf = (): never => {
      throw new Error('no record of parts is expected here');
    };
    return {
      topic: TOPICS.deliveries,
      partition: 0,
      signal: this.ownership.signal,
      partsOf,
      setAside: () => undefined,
    };
  }

  private write(record: OutgoingRecord): { partition: number; offset: number } {
    this.written.push(record);
    const delayMs = retryDelayOf(record.topic);
    if (delayMs !== undefined) this.lateRecords++;
    if (delayMs !== undefined && this.comesAgain) {
      const envelope = decodeDeliveryHeaders(record.headers ?? {});
      const again = { envelope, body: record.value as Buffer, assignment: this.assignment() };
      const nothing = (): void => undefined;
      const due = this.clock.now() + delayMs + this.policy.jitterMs(envelope, delayMs);
      this.lane.add(due, () => void this.deliver('retry', again), nothing);
    }
    return { partition: 0, offset: this.written.length };
  }
}
