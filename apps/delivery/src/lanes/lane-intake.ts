import {
  decodeDeliveryHeaders,
  decodeWideHeaders,
  isWide,
  retryDelayOf,
  TOPICS,
  UnreadableRecord,
  type DeliveryEnvelope,
  type WideDelivery,
} from '@hookline/contracts';
import { deliveryIdOf, type Outcome, type RetryPolicy } from '@hookline/domain';
import { LetGo, type Assignment, type BatchHandler, type LogRecord, type RestoredProgress } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import type { Deliverer } from '../attempt/deliverer.js';
import type { Entrance } from '../attempt/entrance.js';
import { NotOwner, type Delivery } from '../delivery.js';
import type { Handover } from '../handover/handover.js';
import type { OrderedLanes } from '../ordering/ordered-lanes.js';
import type { Targets } from '../subscriptions/targets.js';
import type { Backlogs } from './backlogs.js';
import { DueQueue } from './due-queue.js';
import { lanePatienceMs, type LanePatienceRules } from './lane-patience.js';
import type { Waiting } from './owned-backlog.js';
import { Slots } from './slots.js';

/**
 * How long a replay waits in its lane while live work takes the room, ms: it has the lane to itself, and a million of them
 * would otherwise be written into the retry lanes as fast as they are read.
 */
const BACKFILL_PATIENCE_MS = 60_000;

/** Takes what was handed over to the owner of a subscription: deliveries, replays, and retries when they are due. */
export class LaneIntake {
  private readonly waiting = new Map<Assignment, DueQueue>();
  private readonly live: Entrance;
  private readonly retries: Entrance;
  private readonly replays: Entrance;
  private readonly backfill: Entrance;
  private readonly slots: Slots;
  private closed = false;

  constructor(
    private readonly targets: Targets,
    private readonly deliverer: Deliverer,
    private readonly handover: Handover,
    private readonly ordered: OrderedLanes,
    private readonly backlogs: Backlogs,
    private readonly policy: RetryPolicy,
    settings: LanePatienceRules & { readonly laneHeldRecords: number },
    private readonly clock: Clock,
    owns: Entrance['owns'],
  ) {
    this.slots = new Slots(settings.laneHeldRecords);
    const patienceMs = lanePatienceMs(settings);
    const noRoom: Entrance['noRoom'] = (delivery, refusal, subscriber) =>
      deliverer.putOff(delivery, refusal, subscriber);
    this.live = { from: 'lane', patienceMs, owns, noRoom };
    this.retries = { ...this.live, from: 'retry' };
    this.replays = { ...this.live, from: 'replay' };
    this.backfill = { ...this.live, from: 'backfill', patienceMs: Math.max(patienceMs, BACKFILL_PATIENCE_MS) };
  }

  readonly handler: BatchHandler = (records) => records.map((record) => this.take(record));

  /** @param lanes the names of all: what they hold is known only when each of them is assigned */
  expect(lanes: readonly string[]): void {
    this.ordered.expect(lanes);
    this.backlogs.expect(lanes);
  }

  assigned(lane: string, assignment: Assignment, progress: RestoredProgress): void {
    this.ordered.assigned(lane, assignment, progress);
    this.backlogs.assigned(lane, assignment, progress);
  }

  /** Drops what waits for its time in a partition that has gone to another worker. */
  revoked(assignment: Assignment): void {
    this.waiting.get(assignment)?.close();
    this.waiting.delete(assignment);
    this.ordered.revoked(assignment);
    this.backlogs.revoked(assignment);
  }

  /** Drops all that waits: a stop need not wait for it, for it is in the log. */
  close(): void {
    this.closed = true;
    for (const queue of this.waiting.values()) queue.close();
    this.waiting.clear();
    this.ordered.close();
    this.backlogs.close();
    this.deliverer.close();
  }

  /** Records that wait for their time. */
  get waitingRecords(): number {
    let records = 0;
    for (const queue of this.waiting.values()) records += queue.size;
    return records;
  }

  private take(record: LogRecord): Promise<void> {
    if (record.done) return Promise.resolve();
    try {
      if (record.value === null) throw new UnreadableRecord('a delivery without data');
      if (isWide(record.headers)) return this.takeWide(record, record.value, decodeWideHeaders(record.headers));
      const envelope = decodeDeliveryHeaders(record.headers);
      const { value: body, assignment } = record;
      return this.counted(record, envelope, (waiting) => this.takeOne(record, { envelope, body, assignment, waiting }));
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) return Promise.reject(error as Error);
      return this.handover.unreadable(record, error.message).then(nothing);
    }
  }

  /** Counts it among what waits for its subscription. */
  private async counted(
    record: LogRecord,
    envelope: DeliveryEnvelope,
    work: (waiting: Waiting) => Promise<unknown>,
  ): Promise<void> {
    const waiting = this.backlogs.enter(record, envelope);
    try {
      await work(waiting);
    } catch (error) {
      waiting.comesAgain();
      throw error;
    }
    await this.backlogs.left(waiting, record.partition, envelope);
  }

  private takeOne(record: LogRecord, delivery: Delivery): Promise<unknown> {
    const due = this.dueAt(record, delivery);
    if (this.ordered.concerns(delivery.envelope))
      return this.ordered.take(record, delivery, due, () => this.go(record, delivery));
    return due <= this.clock.now() ? this.go(record, delivery) : this.atTime(due, record, delivery);
  }

  /** Each on its own; what can't go now goes on as a record of its own. All are sent the same bytes in memory. */
  private takeWide(record: LogRecord, body: Buffer, wide: WideDelivery): Promise<void> {
    const { assignment, offset } = record;
    const { event, source, windowStart, subscriptionIds } = wide;
    const parts = assignment.partsOf(offset, subscriptionIds);
    return this.slots.each([...parts.open], (subscriptionId) => {
      const deliveryId = deliveryIdOf(event, source, subscriptionId);
      const envelope = { event, source, subscriptionId, deliveryId, attempts: 0, windowStart, history: [] };
      const delivery: Delivery = { envelope, body, assignment, isUntold: true };
      const work = (waiting: Waiting): Promise<unknown> => this.go(record, { ...delivery, waiting });
      return this.counted(record, envelope, work).then(() => parts.complete(subscriptionId));
    });
  }

  /** Append time, delay and jitter; a record that is not in a retry topic is due at once. */
  private dueAt({ topic, timestamp }: LogRecord, { envelope }: Delivery): number {
    const delayMs = retryDelayOf(topic);
    return delayMs === undefined ? 0 : timestamp + delayMs + this.policy.jitterMs(envelope, delayMs);
  }

  private atTime(due: number, record: LogRecord, delivery: Delivery): Promise<unknown> {
    const { assignment } = record;
    if (this.closed || assignment.signal.aborted) return Promise.reject(new LetGo('it is not taken any more'));
    let queue = this.waiting.get(assignment);
    if (queue === undefined) this.waiting.set(assignment, (queue = new DueQueue(this.clock)));
    const queued = queue;
    return new Promise((resolve, reject) => {
      queued.add(
        due,
        () => void this.go(record, delivery).then(resolve, reject),
        () => reject(new LetGo('it waits no longer here')),
      );
    });
  }

  private go({ topic }: LogRecord, delivery: Delivery): Promise<Outcome> {
    const { subscriptionId, version = 0 } = delivery.envelope;
    const target = this.targets.get(subscriptionId);
    if (target !== undefined && target.version >= version) {
      const { subscriber } = target;
      // A replay's retry is still a replay: it delays nothing that is live.
      const isReplay = topic === TOPICS.replays || delivery.envelope.replayId !== undefined;
      const replays = topic === TOPICS.replays ? this.backfill : this.replays;
      const others = retryDelayOf(topic) === undefined ? this.live : this.retries;
      return this.deliverer.deliver(delivery, subscriber, isReplay ? replays : others);
    }
    if (!this.live.owns(delivery.assignment)) return Promise.reject(new NotOwner());
    // The view keeps deleted subscriptions too. One that it does not know is one that it does not know yet, and so is a version:
    // by an older one, a replay that was asked for after a pause would be held.
    return this.deliverer.defer(delivery, 0);
  }
}

const nothing = (): void => undefined;
