import type { RestoredProgress } from '@hookline/kafka';

/** What waits for one subscription. */
interface Count {
  /** In this worker's hands. */
  here: number;
  /** Written to a tier by this worker, and not read since. */
  away: number;
}

/** A lane's records from before this worker owned it. */
interface Before {
  /** Those below it are read. */
  next: number;
  /** Those from there on are not to be read. */
  readonly last: number;
  readonly end: number;
}

/** One delivery's place in the count. */
export interface Waiting {
  /** It is about to be written to a tier. */
  goesAway(): void;
  /** Its outcome is durable. */
  leave(): void;
  /** Nothing became of it: the record comes again. */
  comesAgain(): void;
}

/**
 * What is known of how much waits in one partition of all lanes, while this worker owns it. What it has put into the
 * tiers itself it knows; what former owners left there, and what those put there who read the events, it gets to know as
 * it reads that.
 */
export class OwnedBacklog {
  private readonly counts = new Map<string, Count>();
  private readonly before = new Map<string, Before>();

  /** @param counts whether anything in this lane counts */
  assigned(lane: string, progress: RestoredProgress, counts: boolean): void {
    const { watermark, end } = progress;
    let last = counts ? end : watermark;
    // What is complete is not read again.
    while (last > watermark && progress.isComplete(last - 1)) last--;
    this.before.set(lane, { next: watermark, last, end });
  }

  /**
   * What it had counted may be read again, by whoever owns the lane next.
   * @returns how many lanes are left
   */
  revoked(lane: string): number {
    this.counts.clear();
    this.before.delete(lane);
    return this.before.size;
  }

  /** Of how many lanes it is known what was there before. */
  get lanes(): number {
    return this.before.size;
  }

  /** Records from before that were not read yet, of whichever subscription. */
  get unread(): number {
    let unread = 0;
    for (const { next, last } of this.before.values()) unread += Math.max(0, last - next);
    return unread;
  }

  /** @returns whether the record was written since the lane is owned here */
  read(lane: string, offset: number): boolean {
    const before = this.before.get(lane);
    if (before === undefined) return true;
    before.next = Math.max(before.next, offset + 1);
    return offset >= before.end;
  }

  /** What waits for a subscription, as far as it is known. */
  count(subscriptionId: string): number {
    const count = this.counts.get(subscriptionId);
    return count === undefined ? 0 : count.here + count.away;
  }

  /**
   * @param counts whether it counts
   * @param isBack whether it may be what this worker has put into a tier
   */
  enter(subscriptionId: string, counts: boolean, isBack: boolean): Waiting {
    if (!counts) return UNCOUNTED;
    let count = this.counts.get(subscriptionId);
    if (count === undefined) this.counts.set(subscriptionId, (count = { here: 0, away: 0 }));
    return new Counted(count, isBack, (of) => {
      if (of.here === 0 && of.away === 0 && this.counts.get(subscriptionId) === of) this.counts.delete(subscriptionId);
    });
  }
}

class Counted implements Waiting {
  private readonly wasAway: boolean;
  private goes = false;

  constructor(
    private readonly count: Count,
    isBack: boolean,
    private readonly settled: (count: Count) => void,
  ) {
    this.wasAway = isBack && count.away > 0;
    if (this.wasAway) count.away--;
    count.here++;
  }

  goesAway(): void {
    // Now, not when it is durable: it may be read before that is known.
    this.goes = true;
    this.count.here--;
    this.count.away++;
  }

  leave(): void {
    if (!this.goes) this.count.here--;
    this.settled(this.count);
  }

  comesAgain(): void {
    if (this.goes) this.count.away--;
    else this.count.here--;
    if (this.wasAway) this.count.away++;
    this.settled(this.count);
  }
}

const nothing = (): void => undefined;
const UNCOUNTED: Waiting = { goesAway: nothing, leave: nothing, comesAgain: nothing };
