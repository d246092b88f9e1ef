interface LimitRules {
  /** The limit to begin with. */
  readonly start: number;
  /** What it never exceeds. */
  readonly cap: number;
}

/** Decreases closer together than this are one, ms. */
const ROUND_MS = 100;

/**
 * How many attempts one endpoint may have in flight: additive increase, multiplicative decrease (D.-M. Chiu, R. Jain,
 * "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks", 1989), with the slow
 * start of RFC 5681: one more for each success until the first decrease, then one more for each `current` successes.
 *
 * Only failures and attempts that hang make it smaller, never latencies that rise, which is why it isn't Vegas or
 * another algorithm that measures delay: with this worker's own processor busy all latencies rise, and every endpoint
 * would pay for it.
 *
 * Decreases within 100 ms count as one. Attempts that were sent together fail together, and a worker that froze finds
 * all of its attempts slow at once: that is one signal, however many say it. It is counted in time and not in
 * outcomes, since from an endpoint that hangs there are none: it halves with every 100 ms in which more of its attempts
 * turn slow or fail, and what is in flight by then is all that it gets.
 */
export class AdaptiveLimit {
  private limit: number;
  private cap: number;
  private slowStart = true;
  /** Successes since it last grew. */
  private successes = 0;
  private decreasedAt = Number.NEGATIVE_INFINITY;

  constructor(rules: LimitRules) {
    this.cap = atLeastOne(rules.cap);
    this.limit = Math.min(atLeastOne(rules.start), this.cap);
  }

  /** An integer from 1 to the cap. */
  get current(): number {
    return this.limit;
  }

  setCap(cap: number): void {
    this.cap = atLeastOne(cap);
    this.limit = Math.min(this.limit, this.cap);
  }

  /**
   * A limit that isn't used says nothing about what more would do: below half of it in flight it doesn't grow.
   * @param inFlight attempts when this one ended, whether itself is counted or not
   */
  succeeded(inFlight: number): void {
    if (this.limit >= this.cap || 2 * inFlight + 1 < this.limit) return;
    this.successes++;
    if (!this.slowStart && this.successes < this.limit) return;
    this.successes = 0;
    this.limit++;
  }

  /** @param now ms */
  failed(now: number): void {
    this.decrease(now);
  }

  /**
   * An attempt has become slow and has no answer yet. It may fail later besides, in another round.
   * @param now ms
   */
  stalled(now: number): void {
    this.decrease(now);
  }

  /** Begins again with one, and slowly: whoever was left alone for a while may be back in full strength, or not. */
  restart(): void {
    this.limit = 1;
    this.successes = 0;
    this.slowStart = true;
  }

  private decrease(now: number): void {
    // The distance, so that a clock that steps back doesn't merge all that comes until it has caught up.
    if (Math.abs(now - this.decreasedAt) < ROUND_MS) return;
    this.decreasedAt = now;
    this.slowStart = false;
    this.successes = 0;
    this.limit = Math.max(1, Math.floor(this.limit / 2));
  }
}

function atLeastOne(limit: number): number {
  return Math.max(1, Math.floor(limit));
}
