/** Of a delay, the part to which its returns are told apart. */
const STEPS = 16;
const SHORTEST_STEP_MS = 1_000;

/** Those that come back at about the same time; all times in ms since the epoch. */
interface Step {
  readonly start: number;
  count: number;
  /** The first and the last of their delays end then, without jitter. */
  from: number;
  to: number;
  /** The first and the last are back then. */
  backFrom: number;
  backTo: number;
}

/**
 * When what was deferred comes back. Whoever is deferred next must take its place behind those that are back before
 * it: by the queue alone a million would all expect the same short wait, and come back all together, again and again.
 *
 * Those of a step are taken to be spread evenly over it. They count as before whoever comes at the end of their delay,
 * though their jitter may make them later: else all that are deferred at once would each be before all the others.
 *
 * It knows what this worker has deferred, so a new owner learns it anew, as they come back to it and are deferred.
 */
export class Returns {
  /** By their starts. There are few: 16 for each delay, one or two more, and those of a delay come at its end. */
  private readonly steps: Step[] = [];

  /** How many times it tells apart. */
  get size(): number {
    return this.steps.length;
  }

  /**
   * One will be back after both together, ms.
   * @param delayMs one of the few delays that there are: it alone makes the steps, else no two would share one
   * @param jitterMs by how much this one is later
   */
  add(delayMs: number, jitterMs: number, now: number): void {
    const stepMs = Math.max(SHORTEST_STEP_MS, delayMs / STEPS);
    const at = now + delayMs;
    const start = Math.floor(at / stepMs) * stepMs;
    let place = this.steps.length;
    while (place > 0 && (this.steps[place - 1] as Step).start > start) place--;
    const step = this.steps[place - 1];
    const back = at + jitterMs;
    if (step?.start !== start) {
      this.steps.splice(place, 0, { start, count: 1, from: at, to: at, backFrom: back, backTo: back });
      return;
    }
    step.count++;
    step.from = Math.min(step.from, at);
    step.to = Math.max(step.to, at);
    step.backFrom = Math.min(step.backFrom, back);
    step.backTo = Math.max(step.backTo, back);
  }

  /** How many are still to come back until then; about, where it is in the midst of a step. */
  until(time: number, now: number): number {
    let past = 0;
    while ((this.steps[past]?.backTo ?? Number.POSITIVE_INFINITY) <= now) past++;
    if (past > 0) this.steps.splice(0, past);
    let count = 0;
    for (const step of this.steps) {
      if (step.start > time) break;
      count += step.count * Math.max(0, part(time, step.from, step.to) - part(now, step.backFrom, step.backTo));
    }
    return count;
  }

  isEmpty(now: number): boolean {
    return this.until(now, now) === 0 && this.steps.length === 0;
  }
}

/** The part of what is spread evenly over a time that is over. */
function part(now: number, from: number, to: number): number {
  if (now >= to) return 1;
  return now <= from ? 0 : (now - from) / (to - from);
}
