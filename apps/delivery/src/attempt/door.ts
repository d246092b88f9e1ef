import { AdaptiveLimit, type BreakerRules, type CircuitBreaker, type Verdict } from '@hookline/domain';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import { DoorRate } from './door-rate.js';
import { EndpointHealth } from './endpoint-health.js';
import type { Guest, WorkClass } from './guest.js';
import type { Word } from './owners-words.js';
import { Queues, type ClassWeights } from './queues.js';
import { Returns } from './returns.js';

export interface DoorRules extends BreakerRules, ClassWeights {
  /** With how many in flight it begins. */
  readonly startConcurrency: number;
  /** In flight at most, over all workers, where the subscription doesn't say. */
  readonly endpointConcurrency: number;
}

/** For so long after live work or a retry it is likely that more comes, ms. */
export const BUSY_MS = 1_000;

/** Why somebody isn't let in now. */
export type Hindrance = 'full' | 'rate' | 'breaker' | 'slow-down';

/**
 * One subscription's share of the rooms, and those who wait for it. It lives over the subscription's versions, from
 * the first delivery until it has been idle for a while.
 */
export class Door {
  inFlight = 0;
  /** Of those, the replays. */
  replays = 0;
  /** When somebody was last let in or left, ms since the epoch. */
  usedAt: number;
  /** Its place among the doors that are awake. */
  place = 0;
  /** The lines in which it stands. */
  readonly inLine = { live: false, retry: false, replay: false };
  /** When it is looked at again because somebody may then be let in, ms since the epoch. */
  wakeAt = Number.POSITIVE_INFINITY;
  readonly limit: AdaptiveLimit;
  readonly health: EndpointHealth;
  readonly rate = new DoorRate();
  /** Whether this worker may send anything that doesn't come from the subscription's lane. */
  takesEvents = true;
  /** What was set by the subscription and the fleet, and when that was looked at, ms since the epoch. */
  tunedAt = Number.NEGATIVE_INFINITY;
  tunedFor: Target | undefined;
  private queues: Queues | undefined;
  private returns: { readonly main: Returns; readonly replay: Returns } | undefined;
  private busyAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly subscriber: Subscriber,
    private readonly rules: DoorRules,
    now: number,
  ) {
    this.limit = new AdaptiveLimit({ start: rules.startConcurrency, cap: rules.endpointConcurrency });
    this.health = new EndpointHealth(rules);
    this.usedAt = now;
  }

  get breaker(): CircuitBreaker {
    return this.health.breaker;
  }

  get tenant(): string {
    return this.subscriber.current?.tenant ?? '';
  }

  get waiting(): number {
    return this.queues === undefined ? 0 : this.queues.size;
  }

  waitingOf(of: WorkClass): number {
    return this.queues === undefined ? 0 : this.queues.sizeOf(of);
  }

  /** @returns whether one more may go now, as far as it is this door's business */
  hasRoom(now: number): boolean {
    return this.inFlight < this.limit.current && (this.isPlain || this.waitMs(now) === 0);
  }

  /** How long nobody is let in for reasons of time, ms; 0 if somebody may be. */
  waitMs(now: number): number {
    return Math.max(this.closedMs(now), this.rate.waitMs(now));
  }

  /** How long the endpoint is left alone, ms. */
  closedMs(now: number): number {
    return this.health.closedMs(now);
  }

  /** Whether an event can't go directly, and need not wait for it either: the owner knows more, or it would only hang. */
  refusesEvents(now: number): boolean {
    return !this.takesEvents || this.health.isStalled || (!this.isPlain && this.closedMs(now) > 0);
  }

  hindrance(now: number): Hindrance {
    if (this.breaker.waitMs(now) > 0 || this.health.isOwnersToTry) return 'breaker';
    if (this.closedMs(now) > 0) return 'slow-down';
    return this.rate.waitMs(now, this.waiting) > 0 ? 'rate' : 'full';
  }

  /** Replays leave a room to live work that may come, and only have their share while it does come. */
  replaysHaveRoom(share: number, now: number): boolean {
    const { current } = this.limit;
    return this.replays < (this.isBusy(now) ? Math.max(1, Math.floor(current * share)) : Math.max(1, current - 1));
  }

  /**
   * What is the owner's business, and what the owner says.
   * @param takesEvents whether this worker may send what comes straight from the log, if the endpoint is healthy
   * @param word that the endpoint is broken, if so
   */
  tune(isOwned: boolean, takesEvents: boolean, word: Word | undefined, now: number): void {
    if (this.health.hear(isOwned, word, now)) this.limit.restart();
    this.takesEvents = takesEvents && !this.health.isOwnersToTry;
  }

  push(guest: Guest, now: number): void {
    this.queues ??= new Queues(this.rules, now);
    this.queues.push(guest, now);
  }

  /** The class whose turn it is, of those that may go now. */
  turn(replaysMayGo: boolean): WorkClass | undefined {
    return this.queues?.turn(replaysMayGo);
  }

  peek(of: WorkClass): Guest | undefined {
    return this.queues?.peek(of);
  }

  shift(of: WorkClass): Guest | undefined {
    return this.queues?.shift(of);
  }

  /** One that has waited for as long as it would, or an event that came while those could still go from here. */
  shiftLate(now: number): Guest | undefined {
    return this.queues?.shiftLate(now, this.takesEvents);
  }

  /** Those for whom it is closed for longer than they would wait. */
  takeOutHopeless(now: number): Guest[] {
    const closedMs = this.closedMs(now);
    const refusesEvents = this.refusesEvents(now);
    return (
      this.queues?.takeOut(({ from, patienceMs }) => (from === 'event' && refusesEvents) || closedMs > patienceMs) ?? []
    );
  }

  takeOutReplays(): Guest[] {
    return this.queues?.takeOut(({ kind }) => kind === 'replay') ?? [];
  }

  entered(guest: Guest, now: number): void {
    if (!this.isPlain) {
      this.breaker.admits(now);
      this.rate.take(now);
    }
    guest.round = this.breaker.round;
    this.inFlight++;
    if (guest.kind === 'replay') this.replays++;
    else this.busyAt = now;
    this.usedAt = now;
  }

  /** An attempt has become slow. */
  becameSlow(now: number): void {
    this.health.becameSlow();
    this.limit.stalled(now);
  }

  /**
   * @param verdict what the endpoint's answer means; none if there was no attempt
   * @param alone how long the endpoint asks to be left alone, ms
   * @param mayBeTooMuch whether a failure may come from too much at a time: else it is only the breaker's business
   * @returns whether the breaker has changed
   */
  left(guest: Guest, verdict: Verdict | undefined, alone: number, mayBeTooMuch: boolean, now: number): boolean {
    const wasSlow = guest.stay === 'slow' || guest.stay === 'overdue';
    const turned = this.health.ended(verdict, guest.round, wasSlow, alone, now);
    if (verdict === 'delivered') {
      this.limit.succeeded(this.inFlight);
      // Left alone for a while: it may be back in full strength, or not.
      if (turned) this.limit.restart();
    } else if (verdict === 'slow-down' || (verdict === 'failed' && mayBeTooMuch)) {
      this.limit.failed(now);
    }
    this.inFlight--;
    if (guest.kind === 'replay') this.replays--;
    else this.busyAt = now;
    this.usedAt = now;
    this.queues?.left(guest.kind);
    return turned;
  }

  /** One was deferred, and comes again after the delay and its jitter, ms. */
  deferred(kind: WorkClass, delayMs: number, jitterMs: number, now: number): void {
    this.returns ??= { main: new Returns(), replay: new Returns() };
    this.returns[kind === 'replay' ? 'replay' : 'main'].add(delayMs, jitterMs, now);
  }

  /** How long one that waits here would wait, by the pace of late, ms; 0 while that is not known. */
  queueMs(of: WorkClass, now: number): number {
    const ahead = this.queues?.ahead(of) ?? 0;
    if (this.rate.isSet) return Math.max(this.closedMs(now), this.rate.waitMs(now, ahead));
    if (ahead === 0) return this.closedMs(now);
    const perMs = this.queues?.perMs(of, now);
    return this.closedMs(now) + (perMs === undefined ? 0 : ahead / perMs);
  }

  /**
   * When it would be the turn of one that is deferred now, ms: behind all who wait, and all that will be back before.
   * Where no pace is known it is that of attempts that take a second.
   */
  deferralMs(of: WorkClass, now: number): number {
    const returns = this.returns?.[of === 'replay' ? 'replay' : 'main'];
    const closedMs = this.closedMs(now);
    const ahead = this.queues?.ahead(of) ?? 0;
    const perMs = this.perMs(of, now);
    // The longer it waits the more are back before it: it is the first time that is late enough for all of those.
    for (let wait = closedMs + ahead / perMs; ;) {
      const behind = closedMs + (ahead + (returns?.until(now + wait, now) ?? 0)) / perMs;
      if (behind <= wait) return wait;
      wait = behind;
    }
  }

  /** Whether nothing is lost if it is made anew when it is needed. */
  isIdle(now: number, idleMs: number): boolean {
    if (this.inFlight > 0 || this.waiting > 0) return false;
    if (this.subscriber.isDeleted) return true;
    const unusedMs = now - this.usedAt;
    if (unusedMs < idleMs || this.closedMs(now) > 0 || this.rate.isInForce) return false;
    // Its time is over and nobody has come to try the endpoint: a worker that doesn't own it may never be asked again.
    if (this.breaker.state !== 'closed' && unusedMs < 2 * this.rules.breakerOpenMostMs) return false;
    return this.returns === undefined || (this.returns.main.isEmpty(now) && this.returns.replay.isEmpty(now));
  }

  /** No reason of time to let nobody in. */
  private get isPlain(): boolean {
    return this.health.isGood && !this.rate.isSet;
  }

  private isBusy(now: number): boolean {
    if (this.inFlight > this.replays || now - this.busyAt < BUSY_MS) return true;
    return this.waitingOf('live') + this.waitingOf('retry') > 0;
  }

  private perMs(of: WorkClass, now: number): number {
    const byRate = this.rate.perMs;
    const byPace = this.queues?.perMs(of, now);
    if (byRate === undefined) return byPace ?? this.rules.endpointConcurrency / 1_000;
    return byPace === undefined ? byRate : Math.min(byRate, byPace);
  }
}
