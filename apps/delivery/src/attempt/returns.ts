/** Of a delay, the part to which its returns are told apart. */
const STEPS = 16;
const SHORTEST_STEP_MS = 1_000;

interface Step {
  /** ms since the epoch */
  readonly at: number;
  count: number;
}

/**
 * When what was deferred comes back. Whoever is deferred next must take its place behind those that are back before
 * it: by the queue alone a million would all expect the same short wait, and come back all together, again and again.
 *
 * It knows what this worker has deferred, so a new owner learns it anew, as they come back to it and are deferred.
 */
export class Returns {
  /** By time. There are few: 16 for each delay, and those of a delay come at its end. */
  private readonly steps: Step[] = [];

  /** One will be back after so long, ms. */
  add(delayMs: number, now: number): void {
    const stepMs = Math.max(SHORTEST_STEP_MS, delayMs / STEPS);
    const at = Math.ceil((now + delayMs) / stepMs) * stepMs;
    let place = this.steps.length;
    while (place > 0 && (this.steps[place - 1] as Step).at > at) place--;
    const before = this.steps[place - 1];
    if (before?.at === at) before.count++;
    else this.steps.splice(place, 0, { at, count: 1 });
  }

  /** How many are still to come back until then. */
  until(time: number, now: number): number {
    let past = 0;
    let count = 0;
    for (const step of this.steps) {
      if (step.at <= now) past++;
      else if (step.at <= time) count += step.count;
      else break;
    }
    if (past > 0) this.steps.splice(0, past);
    return count;
  }

  isEmpty(now: number): boolean {
    return this.until(now, now) === 0 && this.steps.length === 0;
  }
}
