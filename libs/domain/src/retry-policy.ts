import { EXPIRED, type Outcome } from './outcome.js';

export interface RetryRules {
  /** The delay before each retry, ms; the last one repeats. */
  readonly retryDelaysMs: readonly number[];
  /** A retry is late by up to this part of its delay. */
  readonly retryJitterPercent: number;
  /** How long a delivery is tried, ms. */
  readonly windowMs: number;
}

/** When to try again, and when to give up. */
export class RetryPolicy {
  private readonly longestFirst: readonly number[];

  constructor(private readonly rules: RetryRules) {
    this.longestFirst = [...rules.retryDelaysMs].sort((a, b) => b - a);
  }

  /**
   * After a failed attempt: a retry by the delay that this attempt has; where that isn't due inside the window, by the
   * longest one that is; where none is, the end.
   * @param attempts attempts made in this window, the failed one included
   */
  afterFailure(deliveryId: string, attempts: number, windowStart: number, now: number): Outcome {
    const delays = this.rules.retryDelaysMs;
    const planned = delays[Math.min(attempts, delays.length) - 1];
    const end = windowStart + this.rules.windowMs;
    for (const delayMs of planned === undefined ? this.longestFirst : [planned, ...this.longestFirst]) {
      const jitterMs = this.jitterMs(deliveryId, attempts, delayMs);
      if (now + delayMs + jitterMs <= end) return { kind: 'retry', delayMs, jitterMs };
    }
    return EXPIRED;
  }

  /** The shortest tier: where a delivery waits that finds no room in its lane. */
  get shortestDelayMs(): number {
    return this.longestFirst[this.longestFirst.length - 1] as number;
  }

  isExpired(windowStart: number, now: number): boolean {
    return now > windowStart + this.rules.windowMs;
  }

  /**
   * By how much the retry after this attempt is later than its delay, ms: the same for whoever asks, so that it needs
   * no place in the record.
   */
  jitterMs(deliveryId: string, attempts: number, delayMs: number): number {
    return Math.floor((fraction(deliveryId, attempts) * delayMs * this.rules.retryJitterPercent) / 100);
  }
}

/** A number in [0, 1) from the delivery's id (which is a hash already) and the attempt: FNV-1a, then mixed. */
function fraction(deliveryId: string, attempts: number): number {
  let hash = 0x811c9dc5 ^ attempts;
  for (let i = 0; i < deliveryId.length; i++) hash = Math.imul(hash ^ deliveryId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
