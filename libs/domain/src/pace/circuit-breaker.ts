import { FailureSample } from './failure-sample.js';

export interface BreakerRules {
  /** Failures in a row that open it. */
  readonly breakerFailures: number;
  /** The part of a whole sample that opens it if it failed, %. */
  readonly breakerPercent: number;
  /** How many of the latest outcomes make up the sample. */
  readonly breakerSample: number;
  /** How long it is open at first, ms. */
  readonly breakerOpenMs: number;
  /** How long it is open at most, ms. */
  readonly breakerOpenMostMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Leaves an endpoint alone that fails (M. Nygard, "Release It!", 2007). It opens on failures in a row, or on too many
 * among the latest; when the open time is over one attempt may go, the probe: its success closes the breaker and all is
 * forgotten, its failure opens it again for twice as long.
 *
 * **Rounds.** Attempts that were in flight when it opened end while it is open, while the probe is out, or after it has
 * closed again, and must not be taken for the probe nor for news: 64 that time out just after the probe has succeeded
 * would open it again at once. Every change of state therefore begins a new `round`; who tells an outcome says in which
 * round the attempt began (read it after `admits`), and an outcome of an earlier one changes nothing. One whose round
 * isn't said counts as of this round, except that while the breaker is open nothing counts, for nothing can have begun.
 */
export class CircuitBreaker {
  private phase: BreakerState = 'closed';
  private rounds = 0;
  private inARow = 0;
  private readonly sample: FailureSample;
  private probeIsOut = false;
  private openedAt = 0;
  /** How long it is open this time, or was the last; 0 since it last closed. */
  private openMs = 0;
  /** It is never open for less, ms. */
  openLeastMs = 0;

  constructor(private readonly rules: BreakerRules) {
    this.sample = new FailureSample(rules.breakerSample);
  }

  get state(): BreakerState {
    return this.phase;
  }

  /** Whether the probe is under way. */
  get isProbed(): boolean {
    return this.probeIsOut;
  }

  /** The number of the present round; attempts that begin now belong to it. */
  get round(): number {
    return this.rounds;
  }

  /**
   * Whether an attempt may begin. Where that is the probe, it is claimed: whoever is told `true` must send it, and tell
   * how it ended or that it was lost.
   * @param now ms
   */
  admits(now: number): boolean {
    if (this.phase === 'closed') return true;
    if (this.waitMs(now) > 0) return false;
    this.enter('half-open');
    this.probeIsOut = true;
    return true;
  }

  /**
   * The probe ended without an answer that counts: it was not sent, its owner is another, or it was told to slow down.
   * The next may go at once. Where no probe is out this does nothing.
   */
  probeLost(_now: number, round = this.rounds): void {
    if (round === this.rounds) this.probeIsOut = false;
  }

  /**
   * How long until it may admit one, ms; 0 if now. While the probe is out that is the time for which it would open
   * if the probe failed.
   */
  waitMs(now: number): number {
    if (this.phase === 'closed') return 0;
    if (this.phase === 'half-open') return this.probeIsOut ? this.nextOpenMs() : 0;
    // A clock that steps back begins the open time anew, and doesn't add the step to it.
    if (now < this.openedAt) this.openedAt = now;
    return Math.max(0, this.openedAt + this.openMs - now);
  }

  /** @returns whether the state changed */
  succeeded(_now: number, round = this.rounds): boolean {
    if (!this.counts(round)) return false;
    if (this.phase === 'half-open') {
      this.close();
      return true;
    }
    this.inARow = 0;
    this.sample.add(false);
    return false;
  }

  /** @returns whether the state changed */
  failed(now: number, round = this.rounds): boolean {
    if (!this.counts(round)) return false;
    if (this.phase === 'closed') {
      this.inARow++;
      this.sample.add(true);
      if (!this.isTooMuch()) return false;
    }
    this.openMs = this.nextOpenMs();
    this.openedAt = now;
    this.enter('open');
    return true;
  }

  /** There is reason to think that the endpoint is broken: the next attempt, which may go at once, is the probe. */
  suspect(now: number): void {
    if (this.probeIsOut) return;
    this.openMs = 0;
    this.openedAt = now;
    this.enter('open');
  }

  /** Others have found the endpoint healthy: all is forgotten. */
  close(): void {
    if (this.phase === 'closed') return;
    this.enter('closed');
    this.openMs = 0;
  }

  private counts(round: number): boolean {
    return round === this.rounds && this.phase !== 'open';
  }

  private isTooMuch(): boolean {
    const { breakerFailures, breakerPercent, breakerSample } = this.rules;
    if (this.inARow >= breakerFailures) return true;
    return this.sample.isFull && this.sample.failures * 100 >= breakerPercent * breakerSample;
  }

  private nextOpenMs(): number {
    const { breakerOpenMs, breakerOpenMostMs } = this.rules;
    const openMs = this.openMs === 0 ? breakerOpenMs : this.openMs * 2;
    return Math.min(Math.max(openMs, this.openLeastMs), breakerOpenMostMs);
  }

  private enter(phase: BreakerState): void {
    this.phase = phase;
    this.rounds++;
    this.probeIsOut = false;
    this.inARow = 0;
    this.sample.clear();
  }
}
