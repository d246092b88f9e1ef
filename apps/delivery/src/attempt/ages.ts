import type { Clock } from '@hookline/platform';
import { GuestList, type Guest } from './guest.js';

interface AgeLimits {
  /** From when on an attempt is slow, ms. */
  readonly slowAttemptMs: number;
  /** Slow attempts that don't count among the others. */
  readonly slowConcurrency: number;
}

/**
 * Attempts in flight by their age. One that has become slow makes room for another, as far as there are places for slow
 * ones; past those it counts among the others again.
 */
export class Ages {
  /** Those that count among the worker's attempts. */
  counted = 0;
  /** Those that don't, for they are slow. */
  slow = 0;
  private readonly young = new GuestList();
  /** Slow ones that have found no place among the slow. */
  private readonly overdue = new GuestList();
  private isWatching = false;
  private cancel: (() => void) | undefined;

  /** @param onSlow is told of those that have become slow, together */
  constructor(
    private readonly limits: AgeLimits,
    private readonly clock: Clock,
    private readonly onSlow: (guests: readonly Guest[], now: number) => void,
  ) {}

  begin(guest: Guest, now: number): void {
    guest.since = now;
    guest.stay = 'young';
    this.counted++;
    this.young.push(guest);
    if (!this.isWatching) this.watch(this.limits.slowAttemptMs);
  }

  end(guest: Guest): void {
    if (guest.stay !== 'slow') {
      this.counted--;
      (guest.stay === 'overdue' ? this.overdue : this.young).remove(guest);
      return;
    }
    this.slow--;
    const next = this.overdue.first;
    if (next !== undefined) this.giveSlowPlace(next);
  }

  /** The timer stays when nobody is left: one for each attempt would cost as much as all the rest here. */
  private watch(ms: number): void {
    this.isWatching = true;
    this.cancel = this.clock.after(ms, () => this.look());
  }

  /** Nobody becomes slow any more. */
  close(): void {
    this.isWatching = true;
    this.cancel?.();
  }

  private look(): void {
    const now = this.clock.now();
    const { slowAttemptMs, slowConcurrency } = this.limits;
    const slow: Guest[] = [];
    this.isWatching = false;
    for (let guest = this.young.first; guest !== undefined; guest = this.young.first) {
      const leftMs = guest.since + slowAttemptMs - now;
      if (leftMs > 0) {
        this.watch(leftMs);
        break;
      }
      this.young.remove(guest);
      this.overdue.push(guest);
      guest.stay = 'overdue';
      if (this.slow < slowConcurrency) this.giveSlowPlace(guest);
      slow.push(guest);
    }
    if (slow.length > 0) this.onSlow(slow, now);
  }

  private giveSlowPlace(guest: Guest): void {
    this.overdue.remove(guest);
    guest.stay = 'slow';
    this.counted--;
    this.slow++;
    guest.becameSlow();
  }
}
