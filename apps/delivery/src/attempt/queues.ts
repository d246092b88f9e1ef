import { WeightedTurns } from '@hookline/domain';
import { Fifo } from './fifo.js';
import { CLASS_OF, type Guest, type WorkClass } from './guest.js';
import { Pace } from './pace.js';

export interface ClassWeights {
  readonly liveWeight: number;
  readonly retryWeight: number;
  readonly replayWeight: number;
}

export const weightsOf = ({ liveWeight, retryWeight, replayWeight }: ClassWeights): Record<WorkClass, number> => ({
  live: liveWeight,
  retry: retryWeight,
  replay: replayWeight,
});

/** Those who wait at one door, by class. */
export class Queues {
  readonly live = new Fifo<Guest>();
  readonly retry = new Fifo<Guest>();
  readonly replay = new Fifo<Guest>();
  /** How fast those leave who are no replays, and how fast replays. */
  private readonly paces: { readonly main: Pace; readonly replay: Pace };
  private readonly turns: WeightedTurns<WorkClass>;

  constructor(
    private readonly weights: ClassWeights,
    now: number,
  ) {
    this.paces = { main: new Pace(now), replay: new Pace(now) };
    this.turns = new WeightedTurns(weightsOf(weights));
  }

  get size(): number {
    return this.live.size + this.retry.size + this.replay.size;
  }

  push(guest: Guest, now: number): void {
    const of = CLASS_OF[guest.from];
    if (!this.waits(of)) this.paceOf(of).begin(now);
    this[of].push(guest);
  }

  /** Whose turn it is, of the classes that may go now. */
  turn(replaysMayGo: boolean): WorkClass | undefined {
    return this.turns.next((of) => this[of].size > 0 && (of !== 'replay' || replaysMayGo));
  }

  /** One of this class has left. */
  left(of: WorkClass): void {
    if (this.waits(of)) this.paceOf(of).count();
  }

  /** How many leave in a ms, if that is known. */
  perMs(of: WorkClass, now: number): number | undefined {
    const pace = this.paceOf(of);
    return this.waits(of) ? pace.perMs(now) : pace.known;
  }

  /** How many are served before one of this class that comes now. Replays have a pace of their own. */
  ahead(of: WorkClass): number {
    if (of === 'replay') return this.replay.size;
    const { liveWeight, retryWeight } = this.weights;
    return of === 'live'
      ? this.live.size + Math.min(this.retry.size, (this.live.size * retryWeight) / liveWeight)
      : this.retry.size + Math.min(this.live.size, (this.retry.size * liveWeight) / retryWeight);
  }

  /** One that has waited for as long as it would; those of a class have the same patience, or go by their first's. */
  shiftLate(now: number): Guest | undefined {
    for (const queue of [this.live, this.retry, this.replay]) {
      const first = queue.peek();
      if (first !== undefined && first.since + first.patienceMs <= now) return queue.shift();
    }
    return undefined;
  }

  /** Takes out all that this is true of. */
  takeOut(which: (guest: Guest) => boolean): Guest[] {
    return [...this.live.takeOut(which), ...this.retry.takeOut(which), ...this.replay.takeOut(which)];
  }

  private waits(of: WorkClass): boolean {
    return of === 'replay' ? this.replay.size > 0 : this.live.size + this.retry.size > 0;
  }

  private paceOf(of: WorkClass): Pace {
    return of === 'replay' ? this.paces.replay : this.paces.main;
  }
}
