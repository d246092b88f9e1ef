import type { DeliveryEnvelope, SubscriptionRecord } from '@hookline/contracts';
import type { End, Outcome } from '@hookline/domain';
import { LetGo, type Assignment, type LogRecord, type RestoredProgress } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import { NotOwner, type Delivery } from '../delivery.js';
import type { Target } from '../subscriptions/target.js';
import { CatchUps } from './catch-ups.js';
import { HeldWork } from './held-work.js';
import type { LaneEnd } from './lane-end.js';
import { LaneScan, type ReadLane } from './lane-scan.js';
import { OrderedLane, type LanePorts, type LaneRules } from './ordered-lane.js';
import { subscriptionOf } from './stream-of.js';

/** What waits for a catch-up is looked at again after so long at the latest, ms. */
const CATCH_UP_MOST_MS = 600_000;

export interface OrderedSettings {
  readonly attemptTimeoutMs: number;
  readonly directWaitMs: number;
  readonly orderedOutstanding: number;
  readonly orderedRemembered: number;
  readonly retryDelaysMs: readonly number[];
}

export interface OrderedLanesParts {
  readonly targets: { get(subscriptionId: string): Target | undefined };
  readonly deliverer: {
    defer(delivery: Delivery, expectedWaitMs: number): Promise<Outcome>;
    holdUp(delivery: Delivery, waitMs: number): Promise<Outcome>;
    end(delivery: Delivery, how: End): Promise<Outcome>;
  };
  readonly jitterMs: (envelope: DeliveryEnvelope, delayMs: number) => number;
  readonly owns: (assignment: Assignment) => boolean;
  /** For so long an owner that hears nothing of the group may still take itself for the owner, ms. */
  readonly leaseMs: number;
  readonly readLane: ReadLane;
  readonly laneEnd: LaneEnd;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps the order of each key for the subscriptions that want it: in each partition of the lanes that this worker owns,
 * one gate for all of its lanes together.
 */
export class OrderedLanes {
  private readonly byPartition = new Map<number, OrderedLane>();
  private readonly assignments = new Map<Assignment, string>();
  /** The names of all lanes; known before anything is assigned. */
  private lanes: readonly string[] = [];
  /** Subscriptions of which the view did not know yet whether they are ordered: here they are. */
  private readonly strangers = new Set<string>();
  private readonly catchUps = new CatchUps();
  private readonly shortestFirst: readonly number[];
  private readonly patienceMs: number;
  private readonly rules: LaneRules;
  private readonly ports: LanePorts;
  private closed = false;

  constructor(
    settings: OrderedSettings,
    private readonly parts: OrderedLanesParts,
  ) {
    const { attemptTimeoutMs, directWaitMs, orderedOutstanding, orderedRemembered, retryDelaysMs } = settings;
    this.shortestFirst = retryDelaysMs.toSorted((a, b) => a - b);
    // To wait here is cheaper than to be written once more, for as long as that would take anyway.
    this.patienceMs = Math.max(directWaitMs, this.shortestFirst[0] as number);
    this.rules = {
      patienceMs: this.patienceMs,
      // One that was cut off begins its last attempt at the end of its lease.
      takeOverMs: parts.leaseMs + attemptTimeoutMs,
      outstandingMost: orderedOutstanding,
      rememberedMost: orderedRemembered,
      isSuperseded: (group, epoch, source) =>
        parts.targets.get(subscriptionOf(group))?.subscriber.supersedes(epoch, source) === true,
    };
    const { readLane, laneEnd, jitterMs } = parts;
    const isOrdered = (envelope: DeliveryEnvelope): boolean => this.concerns(envelope);
    this.ports = {
      scan: new LaneScan({ readLane, isOrdered, jitterMs, rememberedMost: orderedRemembered }),
      laneEnd,
      move: (delivery, waitMs, behind) => this.move(delivery, waitMs, behind),
    };
  }

  /** @param lanes the names of all: what is outstanding is known only when each of them is assigned */
  expect(lanes: readonly string[]): void {
    this.lanes = lanes;
  }

  assigned(lane: string, assignment: Assignment, progress: RestoredProgress): void {
    const { partition } = assignment;
    this.assignments.set(assignment, lane);
    let owned = this.byPartition.get(partition);
    if (owned === undefined) this.byPartition.set(partition, (owned = this.newLane(partition)));
    owned.assigned(lane, progress);
  }

  /** What is still ours of the partition's lanes begins anew: what is outstanding is not known any more. */
  revoked(assignment: Assignment): void {
    const lane = this.assignments.get(assignment);
    const { partition } = assignment;
    const owned = this.byPartition.get(partition);
    if (lane === undefined || owned === undefined) return;
    this.assignments.delete(assignment);
    owned.close(false);
    const rest = this.newLane(partition, owned);
    rest.lost(lane);
    if (rest.isLost) this.byPartition.delete(partition);
    else this.byPartition.set(partition, rest);
  }

  /**
   * There is a new version of a subscription.
   * @param last the one before it, where that was known
   */
  changed({ id, record: { ordering, epoch, catchingUp } }: Target, last?: Target): void {
    if (catchingUp === undefined) this.catchUps.ended(id);
    const isStranger = this.strangers.delete(id);
    for (const lane of this.byPartition.values()) {
      if (ordering === undefined && isStranger) lane.release(id);
      else if (ordering !== undefined && epoch !== last?.record.epoch) lane.supersede(id);
    }
  }

  /** Gives back all that it holds: a stop need not wait for it, for it is in the log. */
  close(): void {
    this.closed = true;
    for (const lane of this.byPartition.values()) lane.close(true);
  }

  /** Some lane accepts nothing anew until something is through. */
  get isFull(): boolean {
    for (const lane of this.byPartition.values()) if (lane.isFull) return true;
    return false;
  }

  /** Events of ordered subscriptions that are not through, in the lanes that this worker owns, as far as that is known. */
  get outstanding(): number {
    let outstanding = 0;
    for (const lane of this.byPartition.values()) outstanding += lane.outstanding.events;
    return outstanding;
  }

  /**
   * What may wait for each ordered subscription of a lane partition where its room is scarce, so that a number of dead ones
   * doesn't fill it and stop the others: an equal share of half of it. There is always one above that, where more than
   * half is taken.
   * @param scarceAbove the part of the room above which that is so
   * @returns undefined where there is enough
   */
  shareOf(partition: number, scarceAbove: number): number | undefined {
    const { events, sharers } = this.byPartition.get(partition)?.outstanding ?? NONE;
    const { outstandingMost } = this.rules;
    if (sharers < 2 || events <= outstandingMost * scarceAbove) return undefined;
    return outstandingMost * Math.max(0.5 / sharers, SHARE_LEAST);
  }

  /** Whether order matters for it. */
  concerns({ event, subscriptionId }: DeliveryEnvelope): boolean {
    if (event.key === undefined) return false;
    const target = this.parts.targets.get(subscriptionId);
    if (target === undefined) this.strangers.add(subscriptionId);
    return target?.record.ordering === 'key' || (this.strangers.size > 0 && this.strangers.has(subscriptionId));
  }

  /**
   * Takes a record that {@link concerns} it. Resolves when its outcome is durable, or it turned out to be a copy.
   * @param dueAt when it may go at the earliest, ms since the epoch; 0: at once
   * @param attempt what is done when it is its turn
   */
  take(record: LogRecord, delivery: Delivery, dueAt: number, attempt: () => Promise<Outcome>): Promise<void> {
    const lane = this.byPartition.get(record.partition);
    if (this.closed) return Promise.reject(new LetGo('it is not taken any more'));
    if (lane === undefined || record.assignment.signal.aborted) return Promise.reject(new NotOwner());
    return new Promise((resolve, reject) => {
      const inTurn = (): Promise<Outcome> => this.whileCatchingUp(delivery, 0) ?? attempt();
      lane.take(new HeldWork(record, delivery, dueAt, inTurn, resolve, reject));
    });
  }

  private newLane(partition: number, before?: OrderedLane): OrderedLane {
    const { clock, logger } = this.parts;
    return new OrderedLane(partition, this.lanes, this.ports, this.rules, clock, logger, before);
  }

  /** Where nothing may be sent any more, nothing has to wait for its turn. */
  private async move(delivery: Delivery, waitMs: number, behind: boolean): Promise<Outcome> {
    const { owns, targets, deliverer } = this.parts;
    if (!owns(delivery.assignment)) throw new NotOwner();
    const end = targets.get(delivery.envelope.subscriptionId)?.subscriber.endOf(delivery.envelope);
    if (end !== undefined) return deliverer.end(delivery, end);
    const atLeastMs = behind ? this.delayBehind(waitMs) : waitMs;
    return this.whileCatchingUp(delivery, atLeastMs) ?? deliverer.defer(delivery, atLeastMs);
  }

  /**
   * While its subscription catches up, a delivery that is no part of that waits, as if the first of its key were not
   * through: for as long as that has taken so far, so that a long one costs few records and a short one little time.
   * @returns undefined where it need not
   */
  private whileCatchingUp(delivery: Delivery, atLeastMs: number): Promise<Outcome> | undefined {
    const { owns, targets, deliverer } = this.parts;
    const { envelope, assignment } = delivery;
    const target = targets.get(envelope.subscriptionId);
    if (target === undefined || target.subscriber.endOf(envelope) !== undefined) return undefined;
    const waitMs = this.catchUpMs(envelope, target.record);
    if (waitMs === undefined) return undefined;
    if (!owns(assignment)) return Promise.reject(new NotOwner());
    return deliverer.holdUp(delivery, Math.max(atLeastMs, waitMs));
  }

  /** How long it waits for a catch-up, ms; undefined where there is none that it would have to wait for. */
  private catchUpMs(
    { subscriptionId, replayId, epoch = 0 }: DeliveryEnvelope,
    record: SubscriptionRecord,
  ): number | undefined {
    // Whoever matched it knows of a catch-up of which the view here has not heard yet.
    if (epoch > (record.epoch ?? 0)) return 0;
    const { catchingUp } = record;
    if (catchingUp === undefined || replayId === catchingUp) return undefined;
    return Math.min(this.catchUps.takenMs(subscriptionId, catchingUp, this.parts.clock.now()), CATCH_UP_MOST_MS);
  }

  /** The tier in which its first waits, or the next that falls due after it; what is a little early waits in memory. */
  private delayBehind(waitMs: number): number {
    const delayMs = this.shortestFirst.find((each) => each >= waitMs - this.patienceMs);
    return delayMs ?? (this.shortestFirst.at(-1) as number);
  }
}

const NONE = { events: 0, sharers: 0 };

/** Of the room: with a smaller share a subscription would be held back and let go on every few events. */
const SHARE_LEAST = 0.001;
