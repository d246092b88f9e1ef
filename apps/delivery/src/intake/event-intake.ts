import {
  decodeEventHeaders,
  UnreadableRecord,
  type DeliveryEnvelope,
  type EventEnvelope,
  type LogPosition,
} from '@hookline/contracts';
import { DeduplicationIndex, deliveryIdOf } from '@hookline/domain';
import type { Assignment, BatchHandler, LogRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import type { Deliverer } from '../attempt/deliverer.js';
import { HANDED_OVER, type Entrance } from '../attempt/entrance.js';
import { FirstRecord, NotOwner, type Delivery } from '../delivery.js';
import { allDurable } from '../handover/all-durable.js';
import type { Handover } from '../handover/handover.js';
import type { OrderedHandover } from '../ordering/ordered-handover.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import type { Targets } from '../subscriptions/targets.js';
import { PartitionIntake, type EventWork } from './partition-intake.js';
import { TenantShares, type TenantHeld } from './tenant-shares.js';
import { WideHandover, type WideMatch } from './wide-handover.js';

export interface IntakeSettings {
  readonly directWaitMs: number;
  readonly directFanOut: number;
  readonly heldEvents: number;
  readonly idempotencyWindowMs: number;
  readonly idempotencyMaxIds: number;
}

/** Takes events from the log: matches each, and has it delivered to whom it is for, without a second topic on the way. */
export class EventIntake {
  private readonly partitions = new WeakMap<Assignment, PartitionIntake>();
  private readonly entrance: Entrance;
  /** For a tenant that holds more than its share. */
  private readonly hurriedEntrance: Entrance;
  private readonly shares: TenantShares;
  private readonly wide: WideHandover;

  constructor(
    private readonly targets: Targets,
    private readonly deliverer: Deliverer,
    private readonly handover: Handover,
    private readonly ordered: OrderedHandover,
    private readonly settings: IntakeSettings,
    private readonly clock: Clock,
    owns: Entrance['owns'],
    lanePartitionOf: (subscriptionId: string) => number,
  ) {
    this.wide = new WideHandover(handover, clock, owns, lanePartitionOf);
    this.shares = new TenantShares(settings.heldEvents);
    this.entrance = {
      from: 'event',
      patienceMs: settings.directWaitMs,
      owns,
      noRoom: (delivery, refusal, subscriber) =>
        // A turn through the lane would only be one record more.
        refusal.ownerPutsOff
          ? this.deliverer.putOff(delivery, refusal, subscriber)
          : this.toLane(delivery, subscriber, true).then(() => HANDED_OVER),
      becameSlow: (delivery) => this.setAside(delivery),
    };
    this.hurriedEntrance = { ...this.entrance, patienceMs: 0, isOverShare: true };
  }

  readonly handler: BatchHandler = (records) => records.map((record) => this.take(record));

  /** Tenants that hold more than their share of the events, which are scarce: what they have no room for goes to lanes. */
  get tenantsOverShare(): number {
    return this.shares.over;
  }

  /** Never throws: whatever goes wrong is in the promise. */
  private take(record: LogRecord): Promise<void> {
    const partition = this.partitionOf(record.assignment);
    let work = partition.works.get(record.offset);
    try {
      work ??= this.decide(partition, record);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) return Promise.reject(error as Error);
      return record.done ? DONE : this.handover.unreadable(record, error.message).then(nothing);
    }
    if (record.done) return DONE;
    partition.works.set(record.offset, work);
    const held = this.shares.enter(work.event.tenant);
    work.held = held;
    return this.act(work, record, held).then(
      () => {
        this.leaveShare(work);
        partition.works.delete(record.offset);
      },
      (error: unknown) => {
        this.leaveShare(work);
        throw error;
      },
    );
  }

  /**
   * Endpoints that hang must not stop the reading for the others: an event with a slow attempt no longer counts among
   * those that are held. Of several targets the first that is slow is enough, for the others do not hold it for long:
   * they wait `directWaitMs` at most, and are then attempted or handed over. So what is set aside is bounded by the
   * places for slow attempts, and by how fast attempts can become slow: `workerConcurrency` in each `slowAttemptMs`.
   */
  private setAside({ assignment, envelope }: Delivery): void {
    const { offset } = envelope.source;
    const work = this.partitions.get(assignment)?.works.get(offset);
    if (work === undefined) return;
    this.leaveShare(work);
    assignment.setAside(offset);
  }

  private leaveShare(work: EventWork): void {
    if (work.held !== undefined) this.shares.leave(work.held);
    work.held = undefined;
  }

  /** Once for each record, in log order, for the index of ids depends on it. */
  private decide(partition: PartitionIntake, record: LogRecord): EventWork {
    const event = decodeEventHeaders(record.headers);
    if (record.value === null) throw new UnreadableRecord('an event without data');
    const { offset, timestamp: at } = record;
    const source: LogPosition = { partition: record.partition, offset, at };
    const duplicateOf = partition.index.add(event.tenant, event.id, offset, at);
    const targets =
      record.done || duplicateOf !== undefined
        ? []
        : this.targets.match(event.tenant, event.type, record.partition, offset);
    if (targets.length <= this.settings.directFanOut)
      return { event, source, duplicateOf, targets, firstRecord: new FirstRecord(targets.map(({ id }) => id)) };
    const wide = this.wide.match(event, targets);
    return { event, source, duplicateOf, targets: wide.targets, firstRecord: new FirstRecord(wide.ids), wide };
  }

  private act(work: EventWork, record: LogRecord, held: TenantHeld): Promise<unknown> {
    const { event, source, duplicateOf, targets, firstRecord, wide } = work;
    if (duplicateOf !== undefined) return this.handover.duplicate(event, source, duplicateOf);
    const [first] = targets;
    if (first === undefined) return this.handover.matched(event, source, firstRecord);
    if (targets.length === 1) return this.deliver(work, record, held, first);
    return wide === undefined ? this.deliverAll(work, record, held) : this.handOverWide(work, wide, record);
  }

  private deliverAll(work: EventWork, record: LogRecord, held: TenantHeld): Promise<unknown> {
    const { event, source, targets, firstRecord } = work;
    const parts = record.assignment.partsOf(
      record.offset,
      targets.map(({ id }) => id),
    );
    const open = targets.filter(({ id }) => parts.open.has(id));
    if (open.length === 0) return this.handover.matched(event, source, firstRecord);
    return allDurable(
      open.map((target) => this.deliver(work, record, held, target).then(() => parts.complete(target.id))),
    );
  }

  private handOverWide(
    { event, source, firstRecord }: EventWork,
    match: WideMatch,
    record: LogRecord,
  ): Promise<unknown> {
    const { assignment, offset } = record;
    const body = record.value as Buffer;
    const { pieces, ordered } = match;
    const parts = assignment.partsOf(offset, [...pieces.map(({ name }) => name), ...ordered.map(({ id }) => id)]);
    // At once, and also while the group has not been heard of: they keep their place in the line.
    const single = ordered
      .filter(({ id }) => parts.open.has(id))
      .map((target) =>
        this.toOwner({ envelope: envelopeOf(event, source, target), body, assignment, isUntold: true }, target).then(
          () => parts.complete(target.id),
        ),
      );
    return allDurable([...single, this.wide.hand(match, parts, { event, source, body, assignment, firstRecord })]);
  }

  private deliver(work: EventWork, record: LogRecord, held: TenantHeld, target: Target): Promise<unknown> {
    const { event, source, firstRecord } = work;
    const delivery: Delivery = {
      envelope: envelopeOf(event, source, target),
      body: record.value as Buffer,
      assignment: record.assignment,
      firstRecord,
      isUntold: true,
    };
    if (!isDirect(target)) return this.toOwner(delivery, target);
    const entrance = this.shares.isOver(held) ? this.hurriedEntrance : this.entrance;
    return this.deliverer.deliver(delivery, target.subscriber, entrance);
  }

  /** What is ordered is never refused here: it would come again behind its successors. */
  private toOwner(delivery: Delivery, { record, subscriber }: Target): Promise<unknown> {
    const { envelope, assignment } = delivery;
    if (record.ordering === 'key' && envelope.event.key !== undefined) {
      envelope.windowStart ??= this.clock.now();
      return subscriber.handOver(envelope, () => this.ordered.hand(delivery));
    }
    return this.entrance.owns(assignment) ? this.toLane(delivery, subscriber) : Promise.reject(new NotOwner());
  }

  /** The window begins here: with the first deferral. */
  private toLane(delivery: Delivery, subscriber: Subscriber, unhurried = false): Promise<unknown> {
    delivery.envelope.windowStart ??= this.clock.now();
    return subscriber.handOver(delivery.envelope, () => this.handover.toLane(delivery, unhurried));
  }

  private partitionOf(assignment: Assignment): PartitionIntake {
    let partition = this.partitions.get(assignment);
    if (partition === undefined) {
      const { idempotencyWindowMs, idempotencyMaxIds } = this.settings;
      partition = new PartitionIntake(new DeduplicationIndex(idempotencyWindowMs, idempotencyMaxIds));
      this.partitions.set(assignment, partition);
    }
    return partition;
  }
}

const DONE = Promise.resolve();
const nothing = (): void => undefined;

/** Order and rate are their owner's business alone. How its endpoint does is asked at its door. */
function isDirect({ record }: Target): boolean {
  return record.ordering === undefined && record.rateLimit === undefined;
}

function envelopeOf(event: EventEnvelope, source: LogPosition, { id, version }: Target): DeliveryEnvelope {
  const deliveryId = deliveryIdOf(event, source, id);
  return { event, source, subscriptionId: id, deliveryId, attempts: 0, version, history: [] };
}
