import type { Clock } from '@hookline/platform';

/** Timers that all end together. */
export class Timers {
  private readonly cancels = new Set<() => void>();
  private ended = false;

  constructor(private readonly clock: Clock) {}

  /** Again and again, each time `ms` after it was done; a rejection is the act's own business. */
  every(ms: number, act: () => void | Promise<void>): void {
    if (this.ended) return;
    const cancel = this.clock.after(ms, () => {
      this.cancels.delete(cancel);
      void Promise.resolve(act()).then(() => this.every(ms, act));
    });
    this.cancels.add(cancel);
  }

  /** Resolves after `ms`; never, when the timers have ended. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => {
        this.cancels.delete(cancel);
        resolve();
      });
      this.cancels.add(cancel);
    });
  }

  /** Waits for the work, but no longer than `ms`. */
  async within(ms: number, work: Promise<unknown>): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.clock.after(ms, resolve)));
    try {
      await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }

  end(): void {
    this.ended = true;
    for (const cancel of this.cancels) cancel();
  }
}
