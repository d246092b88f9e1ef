import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Door } from './door.js';

/**
 * Where work comes from: straight from the events, or from a lane: handed over, due again, a replay that is due again,
 * or one that comes for the first time.
 */
export type Origin = 'event' | 'lane' | 'retry' | 'replay' | 'backfill';

/** What is served by weights: live work, retries that are due, replays. */
export type WorkClass = 'live' | 'retry' | 'replay';

export const CLASS_OF: Readonly<Record<Origin, WorkClass>> = {
  event: 'live',
  lane: 'live',
  retry: 'retry',
  replay: 'replay',
  backfill: 'replay',
};

/** Where an attempt stands: not begun; younger than a slow one; slow, with or without a slow one's place. */
type Stay = 'outside' | 'young' | 'overdue' | 'slow';

/** Work that needs a room, while it waits and while it is attempted. All but the constructor's is kept by the rooms. */
export abstract class Guest {
  /** Set when it enters. */
  door!: Door;
  /** When it began to wait or, once it is inside, to be attempted; ms since the epoch. */
  since = 0;
  /** The round of the breaker in which it was let in. */
  round = 0;
  stay: Stay = 'outside';
  readonly kind: WorkClass;
  previous: Guest | undefined = undefined;
  next: Guest | undefined = undefined;

  /**
   * @param patienceMs how long it may wait: it is not taken where that would be longer, and gives up after it
   * @param cost what it takes of its tenant's turn, bytes
   * @param ownership dies when the work is another worker's
   */
  constructor(
    readonly subscriber: Subscriber,
    readonly from: Origin,
    readonly patienceMs: number,
    readonly cost: number,
    readonly ownership: AbortSignal,
  ) {
    this.kind = CLASS_OF[from];
  }

  /** There is room: it begins, and says {@link Rooms.leave} when it has left. Must not throw. */
  abstract begin(): void;

  /** Its attempt is slow, and has one of the places for those. Must not throw. */
  becameSlow(): void {}

  /** It has waited long enough, or its endpoint is left alone for longer than that. Must not throw. */
  abstract giveUp(): void;

  /** The worker stops, and need not wait for it. Must not throw. */
  abstract letGo(): void;
}

/** Guests in the order in which they came, of which any may leave. */
export class GuestList {
  first: Guest | undefined;
  private last: Guest | undefined;

  push(guest: Guest): void {
    guest.previous = this.last;
    guest.next = undefined;
    if (this.last === undefined) this.first = guest;
    else this.last.next = guest;
    this.last = guest;
  }

  remove(guest: Guest): void {
    const { previous, next } = guest;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    guest.previous = undefined;
    guest.next = undefined;
  }
}
