import { EXPIRED, type Outcome } from './outcome.js';

const MINUTE_MS = 60_000;

export interface RetryRules {
  /** The delay before each retry, ms; the last one repeats. */
  readonly retryDelaysMs: readonly number[];
  /** A retry is late by up to this part of its delay. */
  readonly retryJitterPercent: number;
  /** How long a delivery is tried, ms. */
  readonly windowMs: number;
}

/** How far a delivery has come. */
export interface Progress {
  readonly deliveryId: string;
  /** Attempts made in all windows. */
  readonly attempts: number;
  /** When this window began, ms since the epoch. */
  readonly windowStart: number;
}

/** When to try again, and when to give up. */
export class RetryPolicy {
  private readonly longestFirst: readonly number[];
  /** When each retry would be due if every attempt failed at once, ms since the window began. */
  private readonly dueAfterMs: readonly number[];
  /** The shortest delay of all, ms. */
  readonly shortestMs: number;

  constructor(private readonly rules: RetryRules) {
    this.longestFirst = [...rules.retryDelaysMs].sort((a, b) => b - a);
    this.shortestMs = Math.min(...rules.retryDelaysMs);
    let sum = 0;
    this.dueAfterMs = rules.retryDelaysMs.map((delayMs) => (sum += delayMs));
  }

  /**
   * After a failed attempt: a retry by the delay that this attempt has; where that isn't due inside the window, by the
   * longest one that is; where none is, the end.
   * @param attemptsInWindow attempts made in this window, the failed one included
   * @param atLeastMs what the endpoint asked for (Retry-After): rounded up to a delay there is, or else the longest; it
   *   matters only where that is longer than the one planned, and never beyond the window
   */
  afterFailure(progress: Progress, attemptsInWindow: number, now: number, atLeastMs = 0): Outcome {
    const delays = this.rules.retryDelaysMs;
    const planned = delays[Math.min(attemptsInWindow, delays.length) - 1];
    if (planned === undefined) return this.first('retry', this.longestFirst, progress, now);
    const first = planned >= atLeastMs ? planned : Math.max(planned, this.tierOf(atLeastMs));
    return this.first('retry', [first, ...this.longestFirst], progress, now);
  }

  /**
   * Where there was no room for an attempt: the longest delay within the time in which there may be some, or the
   * shortest of all. A shorter one would only mean to be deferred again.
   * @param expectedWaitMs how long it would have waited for room
   */
  afterDeferral(progress: Progress, expectedWaitMs: number, now: number): Outcome {
    const within = this.longestFirst.filter((delayMs) => delayMs <= expectedWaitMs || delayMs === this.shortestMs);
    return this.first('defer', within, progress, now);
  }

  /**
   * Where its endpoint is broken and left alone: the delay that a failed attempt would have by now, so that to wait for a
   * dead endpoint costs no more records than to try it would. Its place in the schedule goes by the time since its window
   * began, and needs none in the record.
   * @param closedMs how long the endpoint is left alone at least: to come back before that is of no use, and is done
   *   only where nothing later is due inside the window. Where it ends before that, and in a minute, this is its end.
   */
  whileBroken(progress: Progress, closedMs: number, now: number): Outcome {
    const { retryDelaysMs: delays, windowMs } = this.rules;
    const waitedMs = now - progress.windowStart;
    const leftMs = windowMs - waitedMs;
    if (leftMs < closedMs && leftMs < MINUTE_MS) return EXPIRED;
    const place = this.dueAfterMs.findIndex((dueMs) => waitedMs < dueMs);
    const planned = delays.at(place) ?? this.shortestMs;
    return this.first('defer', [Math.max(planned, this.tierOf(closedMs)), ...this.longestFirst], progress, now);
  }

  isExpired(windowStart: number, now: number): boolean {
    return now > windowStart + this.rules.windowMs;
  }

  /**
   * By how much the next attempt is later than its delay, ms: the same for whoever asks, so that it needs no place in
   * the record.
   */
  jitterMs({ deliveryId, attempts }: Pick<Progress, 'deliveryId' | 'attempts'>, delayMs: number): number {
    return Math.floor((fraction(deliveryId, attempts) * delayMs * this.rules.retryJitterPercent) / 100);
  }

  /** The shortest delay that isn't below this; the longest of all where none is so long. */
  private tierOf(atLeastMs: number): number {
    return this.longestFirst.findLast((delayMs) => delayMs >= atLeastMs) ?? this.longestFirst[0] ?? 0;
  }

  private first(kind: 'retry' | 'defer', delays: readonly number[], progress: Progress, now: number): Outcome {
    const end = progress.windowStart + this.rules.windowMs;
    for (const delayMs of delays) {
      const jitterMs = this.jitterMs(progress, delayMs);
      if (now + delayMs + jitterMs <= end) return { kind, delayMs, jitterMs };
    }
    return EXPIRED;
  }
}

/** A number in [0, 1) from the delivery's id (which is a hash already) and the attempt: FNV-1a, then mixed. */
function fraction(deliveryId: string, attempts: number): number {
  let hash = 0x811c9dc5 ^ attempts;
  for (let i = 0; i < deliveryId.length; i++) hash = Math.imul(hash ^ deliveryId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
