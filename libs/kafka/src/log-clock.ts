import { systemClock, type Clock } from '@hookline/platform';

/** After two of these without an answer of a broker, what it said about the time counts no longer. */
export const WINDOW_MS = 60_000;

/**
 * The log's time: that of the brokers, by which the records are stamped. A worker's own clock may be wrong, or be set
 * forward or back by hours, and changes nothing here: after the first answer it is not asked any more.
 *
 * An acknowledged record was appended before its answer came, so its append time at the moment of the answer is a lower
 * bound of its broker's clock, and stays one with the monotonic time that has passed since. The best bound of a broker
 * is the largest of the last one or two minutes; the time is that of the broker whose clock is the lowest:
 * - It is never ahead of any broker that this process has lately written to, and behind the lowest by no more than the
 *   quickest answer of that broker took. What is due by this clock is due by whichever broker stamped it.
 * - It never steps back. Where a broker's clock does, by d, the time stands still until the brokers have reached it
 *   again: for d at most, or until nothing is written to that broker any more. All that waits for its time is late then
 *   by as much, and nothing early.
 * - A broker that steps forward alone changes nothing but that what it stamps is due later, by as much. When all do,
 *   so does the time, at once, for then that is what the log says.
 *
 * Signatures carry this time too: it is wall time, and receivers accept what is off by minutes.
 */
export class LogClock implements Clock {
  /** By broker, in this window and the one before: the largest append time less the monotonic time of its answer, ms. */
  private recent = new Map<number, number>();
  private previous = new Map<number, number>();
  private windowBegan = -Infinity;
  private heardAt = -Infinity;
  /** What to add to the monotonic time; undefined until the first answer. */
  private offset: number | undefined;
  private latest = -Infinity;

  /**
   * @param wall the timers, and the time until the first answer
   * @param monotonic milliseconds since some moment, set by nobody
   */
  constructor(
    private readonly wall: Clock = systemClock,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  now(): number {
    if (this.offset === undefined) return this.wall.now();
    this.latest = Math.max(this.latest, Math.floor(this.monotonic() + this.offset));
    return this.latest;
  }

  after(ms: number, callback: () => void): () => void {
    return this.wall.after(ms, callback);
  }

  /** How long no broker has said what time it is, ms; Infinity before the first. */
  get silentMs(): number {
    return this.monotonic() - this.heardAt;
  }

  /**
   * An answer of this moment says when a record was appended.
   * @param appendTime ms since the epoch
   */
  readonly learn = (broker: number, appendTime: number): void => {
    const now = this.monotonic();
    this.turn(now);
    this.heardAt = now;
    const bound = appendTime - now;
    if (bound > (this.recent.get(broker) ?? -Infinity)) this.recent.set(broker, bound);
    this.offset = this.lowest();
  };

  private turn(now: number): void {
    const age = now - this.windowBegan;
    if (age < WINDOW_MS) return;
    this.previous = age < 2 * WINDOW_MS ? this.recent : new Map();
    this.recent = new Map();
    this.windowBegan = now;
  }

  private lowest(): number {
    let lowest = Infinity;
    for (const [broker, bound] of this.recent)
      lowest = Math.min(lowest, Math.max(bound, this.previous.get(broker) ?? -Infinity));
    for (const [broker, bound] of this.previous) if (!this.recent.has(broker)) lowest = Math.min(lowest, bound);
    return lowest;
  }
}
