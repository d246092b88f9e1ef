import {
  isUncounted,
  retryDelayOf,
  TOPICS,
  type DeliveryEnvelope,
  type EventEnvelope,
  type LogPosition,
  type OutcomeRecord,
} from '@hookline/contracts';
import type { Assignment, LogRecord, RestoredProgress } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import type { Target } from '../subscriptions/target.js';
import { OwnedBacklog, type Waiting } from './owned-backlog.js';

/** How often it is looked whether a subscription that is held back has room again, besides whenever something of it ends; ms. */
const LOOK_MS = 5_000;

export interface BacklogPorts {
  readonly targets: { get(subscriptionId: string): Target | undefined; readonly heldBack: ReadonlySet<string> };
  /** The subscription's partition in every lane. */
  lanePartitionOf(subscriptionId: string): number;
  /** As {@link OrderedLanes.shareOf}. */
  shareOf(partition: number, scarceAbove: number): number | undefined;
  /** Writes it down. @throws NotDurable */
  tell(event: EventEnvelope, source: LogPosition, backlog: NonNullable<OutcomeRecord['backlog']>): Promise<unknown>;
}

/**
 * How much waits for each subscription in the lanes that this worker owns, as far as it knows; and what follows from it: above a
 * limit the subscription is to be held back at its position of the log, instead of turning ever more records round in
 * the tiers; below half of it, it may go on. Each is told once for a version, for a new one follows from it. What replays
 * bring doesn't count: whoever asks for one bounds that by itself, and live work is not to be held back for its sake.
 */
export class Backlogs {
  private readonly owned = new Map<number, OwnedBacklog>();
  /** How many lanes there are. */
  private lanes = 0;
  private cancelLook: (() => void) | undefined;
  private closed = false;

  /** @param most deliveries that may wait for one subscription */
  constructor(
    private readonly most: number,
    private readonly ports: BacklogPorts,
    private readonly clock: Clock,
  ) {}

  expect(lanes: readonly string[]): void {
    this.lanes = lanes.length;
  }

  assigned(lane: string, { partition }: Assignment, progress: RestoredProgress): void {
    this.of(partition).assigned(lane, progress, lane !== TOPICS.replays);
  }

  /** What is known of the partition is another worker's business now; of one lane alone, it is read again from its position. */
  revoked({ topic, partition }: Assignment): void {
    const backlog = this.owned.get(partition);
    if (backlog?.revoked(topic) === 0) this.owned.delete(partition);
  }

  close(): void {
    this.closed = true;
    this.cancelLook?.();
  }

  /** A delivery of this record is in our hands. */
  enter(record: LogRecord, { subscriptionId, replayId }: DeliveryEnvelope): Waiting {
    const backlog = this.of(record.partition);
    const isNew = backlog.read(record.topic, record.offset);
    const isBack = isNew && retryDelayOf(record.topic) !== undefined && !isUncounted(record.headers);
    return backlog.enter(subscriptionId, replayId === undefined, isBack);
  }

  /** Its outcome is durable. Resolves when what there is to tell is told, so that nobody has to tell it after a crash. */
  async left(waiting: Waiting, partition: number, { event, source, subscriptionId }: DeliveryEnvelope): Promise<void> {
    waiting.leave();
    await this.look(subscriptionId, partition, event, source);
  }

  /** There is a new version of a subscription. */
  changed({ record: { heldBack } }: Target): void {
    if (heldBack === true) this.lookLater();
  }

  private of(partition: number): OwnedBacklog {
    let backlog = this.owned.get(partition);
    if (backlog === undefined) this.owned.set(partition, (backlog = new OwnedBacklog()));
    return backlog;
  }

  private lookLater(): void {
    if (this.closed) return;
    this.cancelLook ??= this.clock.after(LOOK_MS, () => this.lookAtAll());
  }

  /** One of which nothing is left here, or only what others in its partition hide, is not looked at otherwise. */
  private lookAtAll(): void {
    this.cancelLook = undefined;
    for (const id of this.ports.targets.heldBack) {
      const tenant = this.ports.targets.get(id)?.tenant ?? '';
      // It is about no event.
      const event = { tenant, id: '', type: '', time: '' };
      void this.look(id, this.ports.lanePartitionOf(id), event, { partition: 0, offset: 0, at: this.clock.now() });
    }
    if (this.ports.targets.heldBack.size > 0) this.lookLater();
  }

  /** Ordered ones share what a partition has room for: one that is held back leaves its part to others for a while. */
  private mostOf({ record: { ordering, heldBack } }: Target, partition: number): number {
    const scarceAbove = heldBack === true ? 1 / 4 : 1 / 2;
    const share = ordering === undefined ? undefined : this.ports.shareOf(partition, scarceAbove);
    return Math.min(this.most, share ?? this.most);
  }

  private async look(id: string, partition: number, event: EventEnvelope, source: LogPosition): Promise<void> {
    const target = this.ports.targets.get(id);
    const owned = this.owned.get(partition);
    if (target === undefined || owned === undefined || target.status !== 'enabled') return;
    const { subscriber, version } = target;
    const { heldBack } = target.record;
    if (subscriber.toldVersion === version) return;
    const is = heldBack === true ? 'low' : 'full';
    const most = this.mostOf(target, partition);
    if (is === 'full' && owned.count(id) <= most) return;
    if (is === 'low' && (owned.lanes < this.lanes || owned.count(id) + owned.unread >= most / 2)) return;
    subscriber.toldVersion = version;
    try {
      await this.ports.tell(event, source, { subscriptionId: id, version, is });
    } catch {
      // The next one tells it.
      subscriber.toldVersion = 0;
    }
  }
}
