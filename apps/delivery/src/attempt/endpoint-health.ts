import { CircuitBreaker, type BreakerRules, type Verdict } from '@hookline/domain';
import type { Word } from './owners-words.js';

/** How a subscription's endpoint does: by what this worker has met, by what it asks for, and by what its owner says. */
export class EndpointHealth {
  readonly breaker: CircuitBreaker;
  /** Whether this worker owns the subscription, as far as it knew when that was looked at. */
  isOwned = false;
  /** Attempts in flight that take longer than a slow attempt. */
  private slow = 0;
  /** An attempt is slow, and nothing has succeeded since it became so. */
  private stalled = false;
  /** The endpoint asked to be left alone until then, ms since the epoch; 0 if it didn't. */
  private slowUntil = 0;
  /** The owner says that the endpoint is broken. */
  private word: Word | undefined;

  constructor(private readonly rules: BreakerRules) {
    this.breaker = new CircuitBreaker(rules);
  }

  /** Nothing is the matter, by what it asks for and what this worker has met. */
  get isGood(): boolean {
    return this.breaker.state === 'closed' && this.slowUntil === 0;
  }

  /** Whoever is sent now would only hang. */
  get isStalled(): boolean {
    return this.stalled && this.slow > 0;
  }

  /**
   * The one attempt that says whether the endpoint is back is under way, and not slow yet: whoever comes meanwhile does
   * well to wait for it, for otherwise it may be away for hours.
   */
  get isProbed(): boolean {
    return this.breaker.isProbed && this.slow === 0;
  }

  /** What is known of it is known to its owner. */
  get isOwners(): boolean {
    return this.isOwned || this.word !== undefined;
  }

  /** It is broken, and its owner, which is another worker, tries it. */
  get isOwnersToTry(): boolean {
    return this.word !== undefined && !this.isOwned;
  }

  /** How long the endpoint is left alone, ms. */
  closedMs(now: number): number {
    if (this.slowUntil !== 0 && this.slowUntil <= now) this.slowUntil = 0;
    const slowMs = this.slowUntil === 0 ? 0 : this.slowUntil - now;
    return Math.max(slowMs, this.breaker.waitMs(now));
  }

  /**
   * @param word that the endpoint is broken, if the owner says so
   * @returns whether it is known to be back, or is to be tried: with one attempt at a time at first
   */
  hear(isOwned: boolean, word: Word | undefined, now: number): boolean {
    const before = this.word;
    const tookOver = isOwned && !this.isOwned;
    this.word = word;
    this.isOwned = isOwned;
    const { breaker } = this;
    // Who isn't the owner leaves it to the owner to try; by itself it does so only where it hears nothing for long.
    breaker.openLeastMs = isOwned ? 0 : this.rules.breakerOpenMostMs;
    if (isOwned) {
      const isNews = tookOver || (word !== before && breaker.state === 'closed');
      if (!isNews || (word === undefined && breaker.state === 'closed')) return false;
      breaker.suspect(now);
      return true;
    }
    if (word !== undefined || before === undefined) return false;
    if (before.isOver) breaker.close();
    else breaker.suspect(now);
    return true;
  }

  /** There is reason to think that it is back: the next attempt may go at once, and shows it. */
  reconsider(now: number): void {
    this.slowUntil = 0;
    if (this.breaker.state !== 'closed') this.breaker.suspect(now);
  }

  becameSlow(): void {
    this.slow++;
    this.stalled = true;
  }

  /**
   * An attempt that began in this round of the breaker has ended.
   * @param wasSlow whether it had become slow
   * @param alone how long the endpoint asks to be left alone, ms
   * @returns whether the breaker has changed
   */
  ended(verdict: Verdict | undefined, round: number, wasSlow: boolean, alone: number, now: number): boolean {
    if (wasSlow) this.slow--;
    if (verdict === 'delivered') {
      this.stalled = false;
      return this.breaker.succeeded(now, round);
    }
    if (verdict === 'failed') return this.breaker.failed(now, round);
    this.breaker.probeLost(now, round);
    if (verdict === 'slow-down') this.slowUntil = Math.max(this.slowUntil, now + alone);
    return false;
  }
}
