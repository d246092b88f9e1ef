import type { BreakerState } from '@hookline/domain';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import { Door, type DoorRules } from './door.js';
import type { OwnersWords } from './owners-words.js';

/** How the work is shared among the workers of the fleet. */
export interface FleetShare {
  /** How many take part, at least 1. */
  workers(): number;
  /** Whether this worker owns the subscription's lanes. */
  isOwner(subscriptionId: string): boolean;
}

export type Words = Pick<OwnersWords, 'of' | 'sayBroken' | 'sayHealthy'>;

/** How old what was read from the subscription and the fleet may be, ms. */
const TUNE_MS = 1_000;
/** A door that nobody has used for so long is given up, ms. */
const IDLE_MS = 60_000;
/** Doors that are looked at for that whenever one is opened or tuned: so there are never many more than are used. */
const LOOKS = 4;

/** The doors that are in use, out of very many subscriptions. */
export class Doors {
  private readonly awake: Door[] = [];
  /** The one to be looked at next. */
  private look = 0;

  constructor(
    private readonly rules: DoorRules,
    private readonly share: FleetShare,
    private readonly words: Words,
  ) {}

  get size(): number {
    return this.awake.length;
  }

  /** How many are in each state. */
  states(): Map<BreakerState, number> {
    const counts = new Map<BreakerState, number>([
      ['closed', 0],
      ['open', 0],
      ['half-open', 0],
    ]);
    for (const { breaker } of this.awake) counts.set(breaker.state, (counts.get(breaker.state) ?? 0) + 1);
    return counts;
  }

  /**
   * A subscription's door, with the limits that hold now.
   * @param asOwner whether it is asked for work of the lanes: then this worker is the owner, and what it still has as
   *   another is out of date
   */
  of(subscriber: Subscriber, now: number, asOwner = false): Door {
    const { door } = subscriber;
    if (
      door !== undefined &&
      door.tunedFor === subscriber.current &&
      Math.abs(now - door.tunedAt) < TUNE_MS &&
      (door.health.isOwned || !asOwner)
    )
      return door;
    // Before it is its turn: it may be one of those that are given up.
    for (let n = 0; n < LOOKS && this.awake.length > 0; n++) this.lookAtOne(now);
    const tuned = (subscriber.door ??= this.open(subscriber, now));
    this.tune(tuned, now);
    return tuned;
  }

  /** The door's breaker has changed: the others go by what the owner says. */
  turned({ breaker, subscriber: { current } }: Door, now: number): void {
    // What is deleted needs nobody's word.
    if (current === undefined || current.status === 'deleted' || !this.share.isOwner(current.id)) return;
    if (breaker.state === 'closed') this.words.sayHealthy(current.id, now);
    else this.words.sayBroken(current.id, now);
  }

  private open(subscriber: Subscriber, now: number): Door {
    const door = new Door(subscriber, this.rules, now);
    door.place = this.awake.push(door) - 1;
    return door;
  }

  private lookAtOne(now: number): void {
    if (this.look >= this.awake.length) this.look = 0;
    const door = this.awake[this.look] as Door;
    if (!door.isIdle(now, IDLE_MS)) {
      this.look++;
      return;
    }
    door.subscriber.door = undefined;
    const last = this.awake.pop() as Door;
    if (last === door) return;
    this.awake[door.place] = last;
    last.place = door.place;
  }

  /**
   * The cap is one for the fleet: who doesn't own the subscription has an equal part of it, the owner what the others
   * leave. Where there isn't one for each, the owner has all.
   */
  private tune(door: Door, now: number): void {
    const { current } = door.subscriber;
    if (mayBeMended(door.tunedFor, current)) door.health.reconsider(now);
    door.tunedAt = now;
    door.tunedFor = current;
    if (current === undefined) return;
    const { record } = current;
    const cap = record.maxInFlight ?? this.rules.endpointConcurrency;
    const others = Math.max(1, this.share.workers()) - 1;
    const part = Math.floor(cap / (others + 1));
    const isOwned = this.share.isOwner(record.id);
    const own = isOwned ? cap - others * part : part;
    door.limit.setCap(own);
    const word = this.words.of(record.id, now);
    door.tune(isOwned, own > 0 && record.rateLimit === undefined, word, now);
    // Of one that counts no more the topic need not keep a record.
    if (isOwned && word === undefined && door.breaker.state === 'closed') this.words.sayHealthy(record.id, now);
    // Also where nothing has come from the lane since: it is another worker's by now, and only events come here.
    if (record.rateLimit === undefined) door.rate.unset();
  }
}

/** Whoever changed the subscription may have given it another endpoint, or think that this one is back. */
function mayBeMended(before: Target | undefined, now: Target | undefined): boolean {
  if (before === now || before === undefined || now?.status !== 'enabled') return false;
  return before.status !== 'enabled' || before.record.url !== now.record.url;
}
