import type { LogPosition } from '@hookline/contracts';
import type { OrderedWork } from './ordered-work.js';

/** A record in this worker's hands. */
interface Hand<W> {
  work: W;
  /** Its time has come; it waits for its turn only. */
  ready: boolean;
}

/** An event that is not through yet, with all that is known to carry it. */
export class Outstanding<W extends OrderedWork> {
  /** At most one, but for copies that came while it was busy. */
  private hands: Hand<W>[] = [];
  /** Records that stand unread in a lane, known from the scan. */
  private unread = 0;
  /** This worker wrote it to a tier, and has not read that record yet. */
  private expected = false;
  private busyWith: W | undefined;
  private attemptedSince: number | undefined;
  /** While it was busy a tier brought a record: it may be the one that is being written, read before its acknowledgement. */
  private landed = false;
  private awayUntil = 0;
  private forgotten = false;

  /** @param epoch as in {@link OrderedWork} */
  constructor(
    readonly source: LogPosition,
    readonly epoch?: number,
  ) {}

  /** It is attempted, or written to a tier. */
  get isBusy(): boolean {
    return this.busyWith !== undefined;
  }

  /** Whatever becomes of it, it is not waited for when it is busy no longer. */
  get isForgotten(): boolean {
    return this.forgotten;
  }

  get isReady(): boolean {
    return !this.isBusy && this.hands[0]?.ready === true;
  }

  get isInHand(): boolean {
    return this.hands.length > 0;
  }

  /** When its turn could be taken, ms since the epoch. */
  get dueAt(): number {
    return this.hands[0]?.work.dueAt ?? this.awayUntil;
  }

  /** Nothing that is known carries it any more. */
  get isGone(): boolean {
    return !this.isInHand && !this.isElsewhere;
  }

  /** The scan found a record of it. */
  found(dueAt: number): void {
    this.unread++;
    this.awayUntil = Math.max(this.awayUntil, dueAt);
  }

  /** The log let go of a record that the scan had found. */
  missed(): void {
    this.unread--;
  }

  /** @param scanned whether it is a record that the scan had found */
  came(work: W, scanned: boolean, now: number): void {
    const ready = work.dueAt <= now;
    const known = this.hands.find((hand) => isSame(hand.work, work));
    if (known !== undefined) {
      known.work = work;
      known.ready = ready;
      return;
    }
    this.hands.push({ work, ready });
    if (scanned) this.unread--;
    else if (work.fromTier && this.isBusy) this.landed = true;
    else if (work.fromTier) this.expected = false;
  }

  /** The record's time has come. */
  ready(work: W): void {
    const hand = this.hands.find((each) => isSame(each.work, work));
    if (hand !== undefined) hand.ready = true;
  }

  /** @returns the record with which it is busy from now on */
  attempt(now: number): W {
    this.attemptedSince = now;
    return this.move();
  }

  /** @returns the record with which it is busy from now on */
  move(): W {
    return (this.busyWith = (this.hands[0] as Hand<W>).work);
  }

  /** It is busy no longer. @returns how long it was attempted, ms; undefined where it was not, or not with this record */
  leave(work: W, now: number): number | undefined {
    const since = this.attemptedSince;
    this.busyWith = undefined;
    this.attemptedSince = undefined;
    return since === undefined || !isSame(this.hands[0]?.work, work) ? undefined : now - since;
  }

  /** The record with which it was busy is written to a tier, from where it comes back. */
  wentAway(until: number): void {
    this.hands.shift();
    this.awayUntil = until;
    this.expected = !this.landed;
    this.landed = false;
  }

  /** The record with which it was busy comes again. */
  comesAgain(): void {
    const [first] = this.hands as [Hand<W>];
    first.ready = false;
    this.landed = false;
  }

  isBusyWith(work: W): boolean {
    return isSame(this.busyWith, work);
  }

  /**
   * One record is enough: the one that stands elsewhere, for it is the later; else that of a tier with the most attempts;
   * else the first in the log, so that a later one that is complete never says that an earlier one is through.
   * @returns the others
   */
  surplus(): W[] {
    if (this.isBusy || (!this.isElsewhere && this.hands.length < 2)) return [];
    const all = this.hands;
    const best = this.isElsewhere ? undefined : all.reduce((a, b) => (isBetter(b.work, a.work) ? b : a));
    this.hands = best === undefined ? [] : [best];
    return all.filter((hand) => hand !== best).map(({ work }) => work);
  }

  /** It is not waited for any more; where it is busy, from then on. @returns what is in our hands of it */
  abandon(): W[] {
    this.forgotten = this.isBusy;
    const kept = this.isBusy ? 1 : 0;
    return this.hands.splice(kept).map(({ work }) => work);
  }

  /** All that is in our hands but the record with which it was busy. */
  copies(): W[] {
    return this.hands.slice(1).map(({ work }) => work);
  }

  private get isElsewhere(): boolean {
    return this.unread > 0 || this.expected;
  }
}

function isBetter(a: OrderedWork, b: OrderedWork): boolean {
  if (a.fromTier !== b.fromTier) return a.fromTier;
  return a.fromTier ? a.attempts > b.attempts : a.offset < b.offset;
}

function isSame(a: OrderedWork | undefined, b: OrderedWork): boolean {
  return a !== undefined && a.offset === b.offset && a.lane === b.lane;
}
