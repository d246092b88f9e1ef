import type { BreakerState } from '@hookline/domain';
import type { Subscriber } from '../subscriptions/subscriber.js';
import { Door, type DoorRules } from './door.js';
import type { OwnersWords } from './owners-words.js';

/** How the work is shared among the workers of the fleet. */
export interface FleetShare {
  /** How many take part, at least 1. */
  workers(): number;
  /** Whether this worker owns the subscription's lanes. */
  isOwner(subscriptionId: string): boolean;
}

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
    private readonly words: Pick<OwnersWords, 'of' | 'broken' | 'healthy'>,
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
    if (current === undefined || !this.share.isOwner(current.id)) return;
    if (breaker.state === 'closed') this.words.healthy(current.id, now);
    else this.words.broken(current.id, now);
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
    const { subscriber } = door;
    subscriber.door = undefined;
    // What is deleted needs nobody's word.
    const { current } = subscriber;
    if (current?.status === 'deleted' && door.health.isOwned) this.words.healthy(current.id, now);
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
    door.tunedAt = now;
    door.tunedFor = door.subscriber.current;
    const record = door.subscriber.current?.record;
    if (record === undefined) return;
    const cap = record.maxInFlight ?? this.rules.endpointConcurrency;
    const others = Math.max(1, this.share.workers()) - 1;
    const part = Math.floor(cap / (others + 1));
    const isOwned = this.share.isOwner(record.id);
    const own = isOwned ? cap - others * part : part;
    door.limit.setCap(own);
    door.tune(isOwned, own > 0 && record.rateLimit === undefined, this.words.of(record.id, now), now);
    // Also where nothing has come from the lane since: it is another worker's by now, and only events come here.
    if (record.rateLimit === undefined) door.rate.unset();
  }
}
