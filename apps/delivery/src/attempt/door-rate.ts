import type { RateLimit } from '@hookline/contracts';
import { RateLimiter } from '@hookline/domain';

/** The rate limit at one door, where its subscription has one; the lane's work is under it. */
export class DoorRate {
  private current: { readonly limiter: RateLimiter; limit: RateLimit; readonly ownership: AbortSignal } | undefined;

  get isSet(): boolean {
    return this.current !== undefined;
  }

  /** Whether it counts for an ownership that lasts: nobody else knows what was let through under that. */
  get isInForce(): boolean {
    return this.current?.ownership.aborted === false;
  }

  /** How many it lets through in a ms; undefined if there is no limit. */
  get perMs(): number | undefined {
    return this.current === undefined ? undefined : this.current.limit.perSecond / 1_000;
  }

  /**
   * A limiter serves the ownership that it was made for: after that another owner may have let some through, of which
   * this one knows nothing.
   */
  set(limit: RateLimit, ownership: AbortSignal, now: number): void {
    if (this.current === undefined || this.current.ownership.aborted) {
      this.current = { limiter: new RateLimiter(limit, now), limit, ownership };
    } else if (this.current.limit !== limit) {
      this.current.limiter.change(limit, now);
      this.current.limit = limit;
    }
  }

  /** The subscription has none, or none any more. */
  unset(): void {
    this.current = undefined;
  }

  take(now: number): void {
    this.current?.limiter.take(now);
  }

  /** How long until one may go that has so many before it, ms; 0 if now. */
  waitMs(now: number, ahead = 0): number {
    return this.current === undefined ? 0 : this.current.limiter.waitMs(now, ahead);
  }
}
