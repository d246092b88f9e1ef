import { unlessAborted } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';

/** How many deliveries may go now; or how long the replay has nothing to do, and does well to let others, ms. */
export type Room = { deliveries: number } | { waitMs: number };

/** How fast a replay may hand over. */
export interface Pace {
  /** @throws the signal's reason */
  room(signal: AbortSignal): Promise<Room>;
  took(deliveries: number): void;
}

export const UNBOUNDED: Pace = {
  room: async () => ({ deliveries: Number.POSITIVE_INFINITY }),
  took: () => undefined,
};

/** Longer waits than this are spent without a place among the running, ms. */
const LONG_WAIT_MS = 2_000;
/** After so long a replay with a rate lets others have its place, ms. */
const TURN_MS = 10_000;
/** The share of a second's deliveries that may go at once. */
const BURST = 0.25;

/**
 * So many deliveries a second: a token bucket. An event goes to all of its subscriptions at once; what that is too
 * many is waited for afterwards.
 */
export class RatePace implements Pace {
  private tokens = 1;
  private at: number;
  private readonly turnEnds: number;

  /** @param perSecond above 0 */
  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
  ) {
    this.at = clock.now();
    this.turnEnds = this.at + TURN_MS;
  }

  async room(signal: AbortSignal): Promise<Room> {
    for (;;) {
      const now = this.clock.now();
      const earned = (Math.max(0, now - this.at) / 1_000) * this.perSecond;
      this.tokens = Math.min(Math.max(1, this.perSecond * BURST), this.tokens + earned);
      this.at = now;
      if (this.tokens >= 1) {
        if (now < this.turnEnds) return { deliveries: Math.floor(this.tokens) };
        return { waitMs: 0 };
      }
      const waitMs = Math.ceil(((1 - this.tokens) / this.perSecond) * 1_000);
      if (waitMs > LONG_WAIT_MS || now >= this.turnEnds) return { waitMs };
      await unlessAborted(new Promise<void>((resolve) => this.clock.after(waitMs, resolve)), signal);
    }
  }

  took(deliveries: number): void {
    this.tokens -= deliveries;
  }
}

/** Between two looks at how many have ended, ms. */
const LOOK_MS = 1_000;

/** So many deliveries may be under way, that is, handed over and not ended as far as history knows. */
export class WindowPace implements Pace {
  private left = 0;

  /**
   * @param underWay what was handed over, less what has ended
   * @param window at least 1
   */
  constructor(
    private readonly underWay: () => Promise<number>,
    private readonly window: number,
  ) {}

  async room(): Promise<Room> {
    if (this.left >= 1) return { deliveries: this.left };
    this.left = this.window - (await this.underWay());
    // A look costs more than a delivery: there is none for every single one that has ended.
    return this.left >= Math.max(1, this.window / 4) ? { deliveries: this.left } : { waitMs: LOOK_MS };
  }

  took(deliveries: number): void {
    this.left -= deliveries;
  }
}
