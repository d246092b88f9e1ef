import type { AttemptOutcome, DeadLetterReason } from '@hookline/contracts';
import { DELIVERED, isSuccess, type Outcome, type Progress, type RetryPolicy } from '@hookline/domain';
import type { Assignment } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import { NotOwner, type Delivery } from '../delivery.js';
import type { Handover } from '../handover/handover.js';
import type { DeliveryMetrics } from '../metrics.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import type { Attempter } from './attempter.js';
import type { Origin } from './door.js';
import type { Rooms } from './rooms.js';

/** Where a delivery comes from decides what happens when there is no room for it. */
export interface Entrance {
  readonly from: Origin;
  /** How long it may wait for room, ms. */
  readonly patienceMs: number;
  /** Whether this worker may still act for the one who gave it the record. */
  owns(assignment: Assignment): boolean;
  /** There is no room, and will be none for so long. Resolves when the delivery is durably somewhere else. */
  noRoom(delivery: Delivery, expectedWaitMs: number): Promise<unknown>;
}

/** Brings one delivery as far as it comes now: delivered, a retry, a dead letter, or handed over for want of room. */
export class Deliverer {
  constructor(
    private readonly rooms: Rooms,
    private readonly attempter: Attempter,
    private readonly handover: Handover,
    private readonly policy: RetryPolicy,
    private readonly clock: Clock,
    private readonly metrics: DeliveryMetrics,
  ) {}

  /** Resolves when the outcome is durable. @throws NotOwner, NotDurable */
  deliver(delivery: Delivery, subscriber: Subscriber, entrance: Entrance): Promise<unknown> {
    const { door } = subscriber;
    return new Promise((resolve, reject) => {
      const noRoom = (): void => {
        // Whoever owns it now does all of it; a copy of ours in a lane would be one too many.
        if (!entrance.owns(delivery.assignment)) return reject(new NotOwner());
        entrance.noRoom(delivery, this.rooms.expectedWaitMs(door, entrance.from)).then(resolve, reject);
      };
      const taken = this.rooms.enter(door, {
        from: entrance.from,
        patienceMs: entrance.patienceMs,
        begin: () => void this.inRoom(delivery, subscriber, entrance).then(resolve, reject),
        giveUp: noRoom,
      });
      if (!taken) noRoom();
    });
  }

  /** The end of a delivery that is not attempted. */
  bury(delivery: Delivery, reason: DeadLetterReason): Promise<unknown> {
    return this.handover.deadLetter(delivery, reason);
  }

  private async inRoom(delivery: Delivery, subscriber: Subscriber, entrance: Entrance): Promise<unknown> {
    const { envelope, assignment } = delivery;
    let attempt: AttemptOutcome;
    try {
      // It may have waited: the owner may be another, the subscription may have changed, the window may have passed.
      if (!entrance.owns(assignment)) throw new NotOwner();
      const target = subscriber.current;
      const refusal = refusalOf(target);
      if (target === undefined || refusal !== undefined)
        return await this.bury(delivery, refusal ?? 'subscription-deleted');
      const now = this.clock.now();
      envelope.windowStart ??= now;
      if (this.policy.isExpired(envelope.windowStart, now)) return await this.bury(delivery, 'expired');
      attempt = await this.attempter.attempt(target, delivery);
    } finally {
      // The room is for the attempt; its record is written outside.
      this.rooms.leave(subscriber.door);
    }
    return this.conclude(delivery, subscriber, entrance, attempt);
  }

  /** Hands over what found no room in its lane: it comes again when there may be some. */
  defer(delivery: Delivery, expectedWaitMs: number): Promise<unknown> {
    const now = this.clock.now();
    delivery.envelope.windowStart ??= now;
    return this.carryOut(this.policy.afterDeferral(progressOf(delivery), expectedWaitMs, now), delivery, now);
  }

  private conclude(
    delivery: Delivery,
    subscriber: Subscriber,
    { owns }: Entrance,
    attempt: AttemptOutcome,
  ): Promise<unknown> {
    const { envelope, assignment } = delivery;
    this.metrics.attempted(attempt);
    envelope.attempts = attempt.number;
    if (isSuccess(attempt.status)) {
      subscriber.health.succeeded();
      return this.carryOut(DELIVERED, delivery, attempt.at, attempt);
    }
    const now = this.clock.now();
    subscriber.health.failed(now);
    // The next owner repeats this; a retry of ours besides would make two of it.
    if (assignment.signal.aborted || !owns(assignment)) throw new NotOwner();
    envelope.history.push(summaryOf(attempt));
    return this.carryOut(
      this.policy.afterFailure(progressOf(delivery), envelope.history.length, now),
      delivery,
      now,
      attempt,
    );
  }

  private carryOut(outcome: Outcome, delivery: Delivery, now: number, attempt?: AttemptOutcome): Promise<unknown> {
    switch (outcome.kind) {
      case 'delivered':
        return this.handover.delivered(delivery, attempt as AttemptOutcome);
      case 'retry':
      case 'defer':
        return this.handover.retry(delivery, outcome.delayMs, now + outcome.delayMs + outcome.jitterMs, attempt);
      case 'dead-letter':
        return this.handover.deadLetter(delivery, outcome.reason, attempt);
    }
  }
}

function progressOf({ envelope }: Delivery): Progress {
  const { deliveryId, attempts, windowStart } = envelope;
  return { deliveryId, attempts, windowStart: windowStart as number };
}

function refusalOf(target: Target | undefined): DeadLetterReason | undefined {
  if (target === undefined || target.status === 'deleted') return 'subscription-deleted';
  return target.status === 'disabled' ? 'subscription-disabled' : undefined;
}

function summaryOf({ number, at, durationMs, status, error }: AttemptOutcome): Delivery['envelope']['history'][number] {
  return {
    number,
    at,
    durationMs,
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
  };
}
