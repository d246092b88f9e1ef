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
import type { Deliverer, Entrance } from '../attempt/deliverer.js';
import { FirstRecord, NotOwner, type Delivery } from '../delivery.js';
import type { Handover } from '../handover/handover.js';
import type { Target } from '../subscriptions/target.js';
import type { Targets } from '../subscriptions/targets.js';
import { PartitionIntake, type EventWork } from './partition-intake.js';

export interface IntakeSettings {
  readonly directWaitMs: number;
  readonly idempotencyWindowMs: number;
  readonly idempotencyMaxIds: number;
}

/** Takes events from the log: matches each, and has it delivered to whom it is for, without a second topic on the way. */
export class EventIntake {
  private readonly partitions = new WeakMap<Assignment, PartitionIntake>();
  private readonly entrance: Entrance;

  constructor(
    private readonly targets: Targets,
    private readonly deliverer: Deliverer,
    private readonly handover: Handover,
    private readonly settings: IntakeSettings,
    private readonly clock: Clock,
    owns: Entrance['owns'],
  ) {
    this.entrance = {
      from: 'event',
      patienceMs: settings.directWaitMs,
      owns,
      noRoom: (delivery) => this.toLane(delivery),
    };
  }

  readonly handler: BatchHandler = (records) => records.map((record) => this.take(record));

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
    return this.act(work, record).then(() => void partition.works.delete(record.offset));
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
    const firstRecord = new FirstRecord(targets.map(({ id }) => id));
    return { event, source, duplicateOf, firstRecord, missing: new Set(targets) };
  }

  private act(work: EventWork, record: LogRecord): Promise<unknown> {
    const { event, source, duplicateOf, missing } = work;
    if (duplicateOf !== undefined) return this.handover.duplicate(event, source, duplicateOf);
    if (missing.size > 1) return this.deliverAll(work, record);
    const [only] = missing;
    return only === undefined ? this.handover.matchedNothing(event, source) : this.deliver(work, record, only);
  }

  private async deliverAll(work: EventWork, record: LogRecord): Promise<void> {
    const results = await Promise.allSettled(
      [...work.missing].map((target) => this.deliver(work, record, target).then(() => work.missing.delete(target))),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private deliver({ event, source, firstRecord }: EventWork, record: LogRecord, target: Target): Promise<unknown> {
    const delivery: Delivery = {
      envelope: envelopeOf(event, source, target.id),
      body: record.value as Buffer,
      assignment: record.assignment,
      firstRecord,
    };
    const { subscriber } = target;
    if (!subscriber.health.admits(this.clock.now())) {
      if (!this.entrance.owns(record.assignment)) return Promise.reject(new NotOwner());
      return this.toLane(delivery);
    }
    return this.deliverer.deliver(delivery, subscriber, this.entrance);
  }

  /** The window begins here: with the first deferral. */
  private toLane(delivery: Delivery): Promise<unknown> {
    delivery.envelope.windowStart ??= this.clock.now();
    return this.handover.toLane(delivery);
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

function envelopeOf(event: EventEnvelope, source: LogPosition, subscriptionId: string): DeliveryEnvelope {
  const deliveryId = deliveryIdOf(event, source, subscriptionId);
  return { event, source, subscriptionId, deliveryId, attempts: 0, history: [] };
}
