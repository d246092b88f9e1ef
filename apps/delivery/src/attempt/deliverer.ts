import {
  DELIVERED,
  EXPIRED,
  retryAfterMs,
  verdictOf,
  type End,
  type Outcome,
  type Progress,
  type RetryPolicy,
  type Verdict,
} from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { NotOwner, type Delivery } from '../delivery.js';
import type { Handover } from '../handover/handover.js';
import type { DeliveryMetrics } from '../metrics.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import type { Attempted, Attempter } from './attempter.js';
import type { Entrance } from './entrance.js';
import type { Refusal, Rooms } from './rooms.js';
import { summaryOf } from './summary.js';
import { Visit, type VisitHost } from './visit.js';

/**
 * For how long an endpoint is left alone that answers 429 and doesn't say. One that answers 503 is not: among many of its
 * servers one may say so now and then, and that is no reason to hold up all that the others would take.
 */
const TOO_MANY_MS = 1_000;

/** Brings one delivery as far as it comes now: delivered, a retry, a dead letter, or handed over for want of room. */
export class Deliverer {
  private readonly host: VisitHost = {
    inRoom: (visit) => void this.inRoom(visit).then(visit.resolve, visit.reject),
    noRoom: (visit) => this.noRoom(visit),
  };

  constructor(
    private readonly rooms: Rooms,
    private readonly attempter: Attempter,
    private readonly handover: Handover,
    private readonly policy: RetryPolicy,
    private readonly settings: { readonly retryAfterMostMs: number },
    private readonly clock: Clock,
    private readonly metrics: DeliveryMetrics,
  ) {}

  /** Resolves with the outcome when that is durable. @throws NotOwner, NotDurable, LetGo */
  deliver(delivery: Delivery, subscriber: Subscriber, entrance: Entrance): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const visit = new Visit(this.host, delivery, subscriber, entrance, resolve, reject);
      // What is at its end doesn't wait for room: at a slow endpoint that would be long.
      const end = this.endOf(visit);
      if (end !== undefined) {
        if (visit.isOurs) this.end(delivery, end).then(resolve, reject);
        else reject(new NotOwner());
      } else if (subscriber.isGone) {
        if (visit.isOurs) this.awaitTheEnd(delivery, subscriber).then(resolve, reject);
        else reject(new NotOwner());
      } else if (!this.rooms.enter(visit)) {
        this.noRoom(visit);
      }
    });
  }

  /** Lets go of the replays that wait for room: a stop need not wait for them, for they are in the log. */
  close(): void {
    this.rooms.letGoOfReplays();
  }

  /** The end of a delivery that is not attempted any more. */
  async end(delivery: Delivery, how: End): Promise<Outcome> {
    if (how.kind === 'dead-letter') await this.handover.deadLetter(delivery, how.reason);
    else if (how.kind === 'held') await this.handover.held(delivery, how.reason);
    return how;
  }

  /** Hands over what others of its subscription keep from going, for about so long; its window stands still meanwhile. */
  holdUp(delivery: Delivery, waitMs: number): Promise<Outcome> {
    const { envelope } = delivery;
    const now = this.clock.now();
    const windowStart = envelope.windowStart ?? now;
    const outcome = this.policy.afterDeferral(progressOf({ envelope: { ...envelope, windowStart: now } }), waitMs, now);
    if (outcome.kind === 'defer') envelope.windowStart = windowStart + outcome.delayMs + outcome.jitterMs;
    return this.carryOut(outcome, delivery, now);
  }

  /**
   * Hands over what found no room in its lane: it comes again when there may be some. At a broken endpoint that can't be
   * known, and it comes again as if it had been tried.
   * @param subscriber whose door it found closed
   */
  putOff(delivery: Delivery, { ms, hindrance }: Refusal, subscriber: Subscriber): Promise<Outcome> {
    const { envelope } = delivery;
    const now = this.clock.now();
    envelope.windowStart ??= now;
    const progress = progressOf(delivery);
    const outcome =
      hindrance === 'breaker'
        ? this.policy.whileBroken(progress, ms, now)
        : this.policy.afterDeferral(progress, ms, now);
    // At once, not when it is durable: who is deferred next is behind it.
    if (outcome.kind === 'defer')
      this.rooms.deferred(
        subscriber,
        envelope.replayId === undefined ? 'retry' : 'replay',
        outcome.delayMs,
        outcome.jitterMs,
      );
    return this.carryOut(outcome, delivery, now, subscriber);
  }

  /** Hands over what can't go yet for another reason than its door, to the longest delay within this time. */
  defer(delivery: Delivery, expectedWaitMs: number): Promise<Outcome> {
    const now = this.clock.now();
    delivery.envelope.windowStart ??= now;
    return this.carryOut(this.policy.afterDeferral(progressOf(delivery), expectedWaitMs, now), delivery, now);
  }

  /** Its endpoint is gone: it comes again as if it had been tried, until it is known what becomes of the subscription. */
  private awaitTheEnd(delivery: Delivery, subscriber: Subscriber): Promise<Outcome> {
    const now = this.clock.now();
    delivery.envelope.windowStart ??= now;
    return this.carryOut(this.policy.whileBroken(progressOf(delivery), 0, now), delivery, now, subscriber);
  }

  private noRoom(visit: Visit): void {
    const { delivery, subscriber, entrance } = visit;
    // Whoever owns it now does all of it; a copy of ours in a lane would be one too many.
    if (!visit.isOurs) return visit.reject(new NotOwner());
    const refusal = this.rooms.refusal(visit);
    const isSpilled = refusal.hindrance === 'full' && entrance.isOverShare === true;
    this.metrics.deferred(isSpilled ? 'share' : refusal.hindrance);
    entrance.noRoom(delivery, refusal, subscriber).then(visit.resolve, visit.reject);
  }

  private async inRoom(visit: Visit): Promise<Outcome> {
    const { delivery, subscriber } = visit;
    const { envelope } = delivery;
    let verdict: Verdict | undefined;
    let aloneMs = 0;
    let status: number | undefined;
    let attempted: Attempted;
    const target = subscriber.current as Target;
    try {
      // It may have waited: the owner may be another, the subscription may have changed, the window may have passed.
      if (!visit.isOurs) throw new NotOwner();
      const end = this.endOf(visit);
      if (end !== undefined) return await this.end(delivery, end);
      if (subscriber.isGone) return await this.awaitTheEnd(delivery, subscriber);
      envelope.windowStart ??= this.clock.now();
      attempted = await this.attempter.attempt(target, delivery);
      ({ status } = attempted.outcome);
      verdict = verdictOf(status);
      if (verdict === 'slow-down') aloneMs = this.aloneMs(attempted);
      // Before the room is given to the next.
      if (verdict === 'gone') subscriber.gone(target.record.version);
    } finally {
      // The room is for the attempt; its record is written outside.
      this.rooms.leave(visit, verdict, aloneMs, mayBeTooMuch(status));
    }
    this.metrics.attempted(attempted.outcome, verdict);
    envelope.attempts = attempted.outcome.number;
    if (verdict !== 'delivered') return this.conclude(visit, target, attempted, verdict, aloneMs);
    await this.handover.delivered(delivery, attempted.outcome);
    return DELIVERED;
  }

  private conclude(
    { delivery, subscriber, entrance }: Visit,
    target: Target,
    { outcome: attempt }: Attempted,
    verdict: Verdict,
    aloneMs: number,
  ): Promise<Outcome> {
    const { envelope, assignment } = delivery;
    // The next owner repeats this; a retry of ours besides would make two of it.
    if (assignment.signal.aborted || !entrance.owns(assignment)) throw new NotOwner();
    envelope.history.push(summaryOf(attempt));
    const now = this.clock.now();
    const outcome: Outcome =
      verdict === 'gone'
        ? { kind: 'dead-letter', reason: 'endpoint-gone' }
        : this.policy.afterFailure(progressOf(delivery), envelope.history.length, now, aloneMs);
    return this.carryOut(outcome, delivery, now, subscriber, attempt, verdict === 'gone' ? target : undefined);
  }

  private async carryOut(
    outcome: Outcome,
    delivery: Delivery,
    now: number,
    subscriber?: Subscriber,
    attempt?: Attempted['outcome'],
    gone?: Target,
  ): Promise<Outcome> {
    if (outcome.kind === 'dead-letter') {
      await this.handover.deadLetter(delivery, outcome.reason, attempt, gone?.record.version);
    } else if (outcome.kind === 'retry' || outcome.kind === 'defer') {
      delivery.waiting?.goesAway();
      const { delayMs, jitterMs } = outcome;
      const retry = (): Promise<unknown> => this.handover.retry(delivery, delayMs, now + delayMs + jitterMs, attempt);
      await (delivery.isUntold === true && subscriber !== undefined
        ? subscriber.handOver(delivery.envelope, retry)
        : retry());
    }
    return outcome;
  }

  /** How it ends without an attempt, if so. */
  private endOf({ delivery: { envelope, isUntold }, subscriber }: Visit): End | undefined {
    if (isUntold === true) subscriber.adopt(envelope);
    const end = subscriber.endOf(envelope);
    if (end !== undefined) return end;
    const { windowStart } = envelope;
    const isExpired = windowStart !== undefined && this.policy.isExpired(windowStart, this.clock.now());
    return isExpired ? EXPIRED : undefined;
  }

  /** For how long the endpoint asks to be left alone. */
  private aloneMs({ retryAfter, outcome: { status } }: Attempted): number {
    const asked = retryAfterMs(retryAfter, this.clock.now(), this.settings.retryAfterMostMs);
    return asked ?? (status === 429 ? Math.min(TOO_MANY_MS, this.policy.shortestMs) : 0);
  }
}

/**
 * Whether a failure may come from too much at a time. Who answers `404` has had the time to look, and would with less.
 * @param status undefined if there was no whole answer
 */
function mayBeTooMuch(status: number | undefined): boolean {
  return status === undefined || status >= 500 || status === 408;
}

function progressOf({ envelope }: Pick<Delivery, 'envelope'>): Progress {
  const { deliveryId, attempts, windowStart } = envelope;
  return { deliveryId, attempts, windowStart: windowStart as number };
}
