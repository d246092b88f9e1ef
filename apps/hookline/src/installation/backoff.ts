const FIRST_MS = 500;
const LONGEST_MS = 10_000;
/** What has run so long did not fail at its start. */
const FORGIVEN_AFTER_MS = 60_000;

/** Waits that double, from half a second to ten. */
export class Backoff {
  private delayMs = FIRST_MS;
  private lastAt = 0;
  private wake: () => void = () => undefined;

  next(now = Date.now()): number {
    this.delayMs = now - this.lastAt > FORGIVEN_AFTER_MS ? FIRST_MS : Math.min(this.delayMs * 2, LONGEST_MS);
    this.lastAt = now;
    return this.delayMs;
  }

  /** @returns false if it was cancelled */
  wait(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  cancel(): void {
    this.wake();
  }
}
