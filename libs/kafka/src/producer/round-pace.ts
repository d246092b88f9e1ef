/** A round of fewer records holds nobody up: there is little to gather where so little comes. */
export const PACED_FROM = 8;

/**
 * When the next round of sends may begin. Each send costs the brokers about the same however wide it is, so under load
 * rounds keep their distance, and what comes meanwhile leaves together.
 */
export class RoundPace {
  /** When the latest round began, ms; only of one that holds up the next. */
  private beganAt = -Infinity;

  /** @param intervalMs from the beginning of one round to that of the next, at least */
  constructor(private readonly intervalMs: number) {}

  /** @param full whether a send took as much as it may: to wait would gather nothing more, and only slow down */
  began(now: number, records: number, full = false): void {
    this.beganAt = full || records < PACED_FROM ? -Infinity : now;
  }

  /** Milliseconds until the next round may begin; 0: now. */
  waitMs(now: number): number {
    const passed = now - this.beganAt;
    // Below 0 the clock was set back, maybe by hours.
    return passed < 0 ? 0 : Math.max(0, this.intervalMs - passed);
  }
}
