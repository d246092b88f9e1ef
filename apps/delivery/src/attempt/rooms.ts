import type { BreakerState, Verdict } from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { DueQueue } from '../lanes/due-queue.js';
import { lanePatienceMs, type LanePatienceRules } from '../lanes/lane-patience.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import { Ages } from './ages.js';
import { BUSY_MS, type Door, type DoorRules, type Hindrance } from './door.js';
import { Doors, type FleetShare, type Words } from './doors.js';
import type { Guest, WorkClass } from './guest.js';
import { Lines } from './lines.js';

export interface RoomLimits extends DoorRules, LanePatienceRules {
  /** In flight in all, of those that are no slow attempts. */
  readonly workerConcurrency: number;
  /** From when on an attempt is slow, ms. */
  readonly slowAttemptMs: number;
  /** Slow attempts in all. */
  readonly slowConcurrency: number;
  /** Waiting for each subscription, of each class. */
  readonly endpointQueue: number;
  readonly tenantQuantumBytes: number;
}

/** Why one was not taken. */
export interface Refusal {
  /** When it would be its turn, ms; at a broken endpoint, when that is tried again. */
  readonly ms: number;
  readonly hindrance: Hindrance;
  /** Whether the owner, with the work of a lane, would do no more than put it off. */
  readonly ownerPutsOff: boolean;
}

/** What decides whether a guest would wait too long. */
type Wish = Pick<Guest, 'from' | 'kind' | 'patienceMs'>;

const SWEEP_MS = 50;

/**
 * How many attempts may be in flight, for each subscription and in all. What finds no room waits at its subscription's
 * door; where the worker is full, the tenants and their doors are served in turn, so that a wide one doesn't keep the
 * others out. An attempt that has become slow gives its room in the worker back, so that hanging endpoints don't either.
 */
export class Rooms {
  private replays = 0;
  /** When live work or a retry was last let in or left. */
  private busyAt = Number.NEGATIVE_INFINITY;
  private serving = false;
  private readonly doors: Doors;
  private readonly lines: Lines;
  /** Doors at which someone waits. */
  private readonly waitedAt = new Set<Door>();
  private cancelSweep: (() => void) | undefined;
  /** Doors that open at some time. */
  private readonly wakes: DueQueue;
  private readonly ages: Ages;
  private readonly replayShare: number;
  private readonly ofLane: Wish;

  constructor(
    private readonly limits: RoomLimits,
    private readonly clock: Clock,
    share: FleetShare,
    words: Words,
  ) {
    const { liveWeight, retryWeight, replayWeight } = limits;
    this.doors = new Doors(limits, share, words);
    this.lines = new Lines(limits, limits.tenantQuantumBytes);
    this.wakes = new DueQueue(clock);
    this.ages = new Ages(limits, clock, (guests, now) => this.becameSlow(guests, now));
    this.replayShare = replayWeight / (liveWeight + retryWeight + replayWeight);
    this.ofLane = { from: 'lane', kind: 'live', patienceMs: lanePatienceMs(limits) };
  }

  get inFlight(): number {
    return this.ages.counted + this.ages.slow;
  }

  /** Attempts that have become slow. */
  get slowInFlight(): number {
    return this.ages.slow;
  }

  /** Doors that are in use, by the state of their breakers. */
  doorStates(): Map<BreakerState, number> {
    return this.doors.states();
  }

  /** Why one that was not taken was not, and when it would be its turn. */
  refusal({ subscriber, kind }: Guest): Refusal {
    const now = this.clock.now();
    const door = this.doors.of(subscriber, now);
    const hindrance = door.hindrance(now);
    // How long its owner leaves it alone is not known here; who waits comes again as often as if it had been tried.
    const closedMs = door.health.isOwnersToTry ? 0 : door.closedMs(now);
    const ms = hindrance === 'breaker' ? closedMs : door.deferralMs(kind, now);
    const { isOwners, isOwned } = door.health;
    const ownerPutsOff = hindrance === 'breaker' ? isOwners : isOwned && this.isTooLong(door, this.ofLane, now);
    return { ms, hindrance, ownerPutsOff };
  }

  /** @returns false if it would have to wait too long, or too many wait at this door already: it was not taken */
  enter(guest: Guest): boolean {
    const now = this.clock.now();
    const door = this.doors.of(guest.subscriber, now, guest.from !== 'event');
    guest.door = door;
    const rateLimit = guest.subscriber.current?.record.rateLimit;
    if (rateLimit !== undefined && guest.from !== 'event') door.rate.set(rateLimit, guest.ownership, now);
    if (this.isTooLong(door, guest, now)) return false;
    if (door.waiting === 0 && this.hasRoom(door, guest.kind, now)) {
      this.admit(door, guest, now);
      return true;
    }
    if (guest.patienceMs <= 0) return false;
    guest.since = now;
    door.push(guest, now);
    this.waitedAt.add(door);
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
    this.serve(door, now);
    return true;
  }

  /**
   * @param verdict what the endpoint's answer means; none if there was no attempt
   * @param alone how long the endpoint asks to be left alone, ms
   * @param mayBeTooMuch whether a failure may come from too much at a time
   */
  leave(guest: Guest, verdict?: Verdict, alone = 0, mayBeTooMuch = true): void {
    const now = this.clock.now();
    const { door } = guest;
    this.ages.end(guest);
    if (door.left(guest, verdict, alone, mayBeTooMuch, now)) this.doors.turned(door, now);
    if (guest.kind === 'replay') this.replays--;
    else this.busyAt = now;
    if (door.waiting > 0) {
      if (verdict !== 'delivered') this.sendAway(door, now);
      this.serve(door, now);
    } else if (!this.lines.isEmpty) {
      this.serveLines(now);
    }
  }

  /** One was deferred, and comes again after the delay and its jitter, ms. */
  deferred(subscriber: Subscriber, kind: WorkClass, delayMs: number, jitterMs: number): void {
    const now = this.clock.now();
    this.doors.of(subscriber, now).deferred(kind, delayMs, jitterMs, now);
  }

  letGoOfReplays(): void {
    for (const door of this.waitedAt) for (const guest of door.takeOutReplays()) guest.letGo();
  }

  /** When all is finished: leaves no timer behind. */
  close(): void {
    this.wakes.close();
    this.ages.close();
    this.cancelSweep?.();
  }

  private isTooLong(door: Door, { from, kind, patienceMs }: Wish, now: number): boolean {
    if (from === 'event' && door.refusesEvents(now)) return true;
    const waiting = door.waitingOf(kind);
    if (waiting === 0) return door.waitMs(now) > patienceMs && !door.health.isProbed;
    if (waiting >= this.limits.endpointQueue) return true;
    if (door.health.isProbed) return false;
    const waitMs = door.queueMs(kind, now);
    // A handful may wait in any case where there is no other reason: as many as one round of attempts takes.
    return waitMs > patienceMs && (waiting >= this.limits.endpointConcurrency || door.hindrance(now) !== 'full');
  }

  private hasRoom(door: Door, of: WorkClass, now: number): boolean {
    if (this.ages.counted >= this.limits.workerConcurrency || !door.hasRoom(now)) return false;
    return of !== 'replay' || (this.replaysHaveRoom(now) && door.replaysHaveRoom(this.replayShare, now));
  }

  /** Replays leave rooms to live work that may come, and only have their share while it does come. */
  private replaysHaveRoom(now: number): boolean {
    const { workerConcurrency } = this.limits;
    const share = Math.max(1, Math.floor(workerConcurrency * this.replayShare));
    const isBusy = this.inFlight > this.replays || now - this.busyAt < BUSY_MS || this.lines.hasLiveOrRetry;
    return this.replays < (isBusy ? share : Math.max(1, workerConcurrency - share));
  }

  private admit(door: Door, guest: Guest, now: number): void {
    door.entered(guest, now);
    if (guest.kind === 'replay') this.replays++;
    else this.busyAt = now;
    this.ages.begin(guest, now);
    guest.begin();
  }

  private becameSlow(guests: readonly Guest[], now: number): void {
    for (const { door } of guests) {
      door.becameSlow(now);
      this.sendAway(door, now);
    }
    this.serveLines(now);
  }

  /** Those who would wait longer than they can. */
  private sendAway(door: Door, now: number): void {
    if (door.waiting === 0 || (door.closedMs(now) === 0 && !door.refusesEvents(now))) return;
    for (const guest of door.takeOutHopeless(now)) guest.giveUp();
  }

  /** Somebody waits at this door, and something may have changed. */
  private serve(door: Door, now: number): void {
    // Where no other door waits for the worker, its own turns hold; else those of all.
    if (!this.serving && this.lines.isEmpty) this.serveDoor(door, now);
    this.standInLine(door, now);
    this.serveLines(now);
  }

  private serveDoor(door: Door, now: number): void {
    this.serving = true;
    while (this.hasRoom(door, 'live', now)) {
      const of = door.turn(this.hasRoom(door, 'replay', now));
      const guest = of && door.shift(of);
      if (guest === undefined) break;
      this.admit(door, guest, now);
    }
    this.serving = false;
  }

  private standInLine(door: Door, now: number): void {
    if (door.waiting === 0 || door.inFlight >= door.limit.current) return;
    const waitMs = door.waitMs(now);
    if (waitMs > 0) this.wakeLater(door, now + waitMs);
    else this.lines.stand(door);
  }

  /** A guest may leave before it has really begun, and ask for the next one: that is the loop's business, not the stack's. */
  private serveLines(now: number): void {
    if (this.serving || this.lines.isEmpty) return;
    this.serving = true;
    while (this.ages.counted < this.limits.workerConcurrency) {
      const turn = this.lines.shift(this.replaysHaveRoom(now));
      if (turn === undefined) break;
      const { of, door } = turn;
      const guest = this.hasRoom(door, of, now) ? door.shift(of) : undefined;
      if (guest !== undefined) this.admit(door, guest, now);
      // A replay that has no room at its own door is seen to when someone leaves it, or by the sweep.
      if (guest !== undefined || of !== 'replay') this.standInLine(door, now);
    }
    this.serving = false;
  }

  private wakeLater(door: Door, at: number): void {
    if (door.wakeAt <= at) return;
    door.wakeAt = at;
    const nothing = (): void => undefined;
    this.wakes.add(at, () => this.wake(door, at), nothing);
  }

  private wake(door: Door, at: number): void {
    // One that was set for earlier has taken its place.
    if (door.wakeAt !== at) return;
    door.wakeAt = Number.POSITIVE_INFINITY;
    if (door.waiting > 0) this.serve(door, this.clock.now());
  }

  private sweep(): void {
    const now = this.clock.now();
    this.cancelSweep = undefined;
    for (const door of this.waitedAt) {
      for (let guest = door.shiftLate(now); guest !== undefined; guest = door.shiftLate(now)) guest.giveUp();
      if (door.waiting === 0) this.waitedAt.delete(door);
      else this.standInLine(door, now);
    }
    this.serveLines(now);
    if (this.waitedAt.size > 0) this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
  }
}
