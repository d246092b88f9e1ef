import type { RateLimit } from '@hookline/contracts';

/** What one attempt adds to the level, so that ms times a rate a second are of the same unit. */
const ATTEMPT = 1_000;

/**
 * The generic cell rate algorithm, as the continuous-state leaky bucket of ITU-T I.371, annex A (the ATM Forum's
 * Traffic Management 4.0 has the same): a bucket that leaks at the rate and holds the burst. In whole milliseconds and
 * whole rates it is exact, else to the last digits of a number: in any interval of t seconds at most `burst + t * perSecond` are let through, and never fewer
 * than could be.
 *
 * It begins with a full bucket, i.e. with no burst to spend: the first goes after 1 / perSecond. An owner that takes
 * over knows nothing of what the last one has let through, and together they must not exceed the limit.
 *
 * A clock that steps back leaks nothing for the step: what is owed stays, never more than 1 / perSecond * burst.
 */
export class RateLimiter {
  private level: number;

  constructor(
    private limit: RateLimit,
    /** When the level was last worked out, ms. */
    private at: number,
  ) {
    this.level = limit.burst * ATTEMPT;
  }

  /** Whether one may go now; if so, it has. */
  take(now: number): boolean {
    this.leak(now);
    if (this.level + ATTEMPT > this.limit.burst * ATTEMPT) return false;
    this.level += ATTEMPT;
    return true;
  }

  /** How long until one more could go with `ahead` others before it, whole ms; 0 if now. */
  waitMs(now: number, ahead = 0): number {
    this.leak(now);
    const { perSecond, burst } = this.limit;
    return Math.max(0, Math.ceil((this.level + (ahead + 1 - burst) * ATTEMPT) / perSecond));
  }

  /** What could go now still may, as far as the new burst has room for it; a larger burst has to be saved up first. */
  change(limit: RateLimit, now: number): void {
    this.leak(now);
    const unspent = this.limit.burst * ATTEMPT - this.level;
    this.level = Math.max(0, limit.burst * ATTEMPT - unspent);
    this.limit = limit;
  }

  private leak(now: number): void {
    if (now > this.at) this.level = Math.max(0, this.level - (now - this.at) * this.limit.perSecond);
    this.at = now;
  }
}
