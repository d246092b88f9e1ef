import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from './plan.js';
import type { Place, Way } from './way.js';

export interface LoadOptions {
  /** The way of the n-th publisher. */
  wayOf(publisher: number): Way;
  publishers: number;
  /** Events a second, of all of them together. */
  rate: number;
  /** After so many acknowledged ones they trickle, until {@link Publishers.more} allows more. */
  events: number;
}

const AGAIN_MS = 100;
const LOOK_MS = 10;
/** Events a second of those that trickle: a fault that lasts is to be met by some, and not to pile up a backlog. */
const TRICKLE = 20;

/** Publishers that each repeat an event, with its id, until it is acknowledged. */
export class Publishers {
  /** By the event's id. */
  readonly acknowledged = new Map<string, Place>();
  /** How often a publish was refused, cut off or left unanswered. */
  refusals = 0;
  /** Publishes that wait for their answer. */
  outstanding = 0;
  /** What the slowest took that was acknowledged at its first try, ms: how slow the machine is. */
  slowestMs = 0;
  private stopping = false;
  private allowed: number;
  private readonly working: Promise<void>;

  constructor(
    private readonly options: LoadOptions,
    private readonly plan: Plan,
  ) {
    this.allowed = options.events;
    const all = Array.from({ length: options.publishers }, (_, publisher) => this.publish(publisher));
    this.working = Promise.all(all).then(() => undefined);
    // Who stops it hears of it; until then it must not end the process.
    this.working.catch(() => undefined);
  }

  /** So many more at the full rate. */
  more(events: number): void {
    this.allowed = this.acknowledged.size + events;
  }

  /** Begins nothing new, and waits until all that was begun is acknowledged. @throws Error where that takes too long */
  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    const late = pause(deadlineMs, undefined, { ref: false }).then(() => {
      throw new Error(`${this.outstanding} publishes were not acknowledged in ${deadlineMs} ms after the load`);
    });
    await Promise.race([this.working, late]);
  }

  private async publish(publisher: number): Promise<void> {
    const { publishers, wayOf } = this.options;
    const way = wayOf(publisher);
    await pause((publisher / publishers) * this.everyMs);
    while (!this.stopping) {
      const begun = performance.now();
      const event = this.plan.take(publisher);
      this.outstanding += 1;
      for (let isFirst = true; ; isFirst = false) {
        const place = await way.publish(event);
        if (place) {
          this.acknowledged.set(event.id, place);
          if (isFirst) this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
          break;
        }
        this.refusals += 1;
        await pause(AGAIN_MS);
      }
      this.outstanding -= 1;
      while (!this.stopping && performance.now() < begun + this.everyMs) await pause(LOOK_MS);
    }
    way.close();
  }

  /** From one event of a publisher to its next at least, ms. */
  private get everyMs(): number {
    const { publishers, rate } = this.options;
    return (publishers * 1_000) / (this.acknowledged.size < this.allowed ? rate : TRICKLE);
  }
}
