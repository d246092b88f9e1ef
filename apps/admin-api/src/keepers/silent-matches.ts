import type { Clock } from '@hookline/platform';

/** After so many times as long as it is waited for them, those that were not asked for again are forgotten. */
const FORGOTTEN_AFTER = 10;

/**
 * Deliveries that were matched and of which nothing else is known. Whoever matched one may be at it; or it died right after it
 * had said so, and the next owner of the event, whose view was older, does not match it. So nobody is trusted for longer than
 * a delivery can take to its first outcome.
 */
export class SilentMatches {
  /** When each was first seen, ms. */
  private readonly since = new Map<string, number>();

  /** @param waitMs how long the first outcome of a delivery may take */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly waitMs: number,
  ) {}

  /** Whether it has been silent for too long: nobody is at it any more. */
  isAbandoned(deliveryId: string): boolean {
    const now = this.clock.now();
    const since = this.since.get(deliveryId);
    if (since === undefined) this.since.set(deliveryId, now);
    return now - (since ?? now) >= this.waitMs;
  }

  /** Those that have ended otherwise are not asked for any more. */
  prune(): void {
    const before = this.clock.now() - FORGOTTEN_AFTER * this.waitMs;
    for (const [id, since] of this.since) if (since < before) this.since.delete(id);
  }
}
