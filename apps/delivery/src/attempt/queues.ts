import { WeightedTurns } from '@hookline/domain';
import { Fifo } from './fifo.js';
import type { Guest, Origin, WorkClass } from './guest.js';
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

/** Whose work is of a class. Those of one origin have the same patience, so that the first of them is the first to lose it. */
const ORIGINS: Readonly<Record<WorkClass, readonly Origin[]>> = {
  live: ['lane', 'event'],
  retry: ['retry'],
  replay: ['replay', 'backfill'],
};

/** A list, for a sweep goes over it at every door twenty times a second, and need not make one each time. */
const ALL_ORIGINS: readonly Origin[] = Object.values(ORIGINS).flat();

/** Those who wait at one door: in a class who came first is served first. */
export class Queues {
  private readonly fifos: Readonly<Record<Origin, Fifo<Guest>>> = {
    event: new Fifo(),
    lane: new Fifo(),
    retry: new Fifo(),
    replay: new Fifo(),
    backfill: new Fifo(),
  };
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
    return this.sizeOf('live') + this.sizeOf('retry') + this.sizeOf('replay');
  }

  sizeOf(of: WorkClass): number {
    let size = 0;
    for (const origin of ORIGINS[of]) size += this.fifos[origin].size;
    return size;
  }

  push(guest: Guest, now: number): void {
    if (!this.waits(guest.kind)) this.paceOf(guest.kind).begin(now);
    this.fifos[guest.from].push(guest);
  }

  peek(of: WorkClass): Guest | undefined {
    return this.oldest(of)?.peek();
  }

  shift(of: WorkClass): Guest | undefined {
    return this.oldest(of)?.shift();
  }

  /** Whose turn it is, of the classes that may go now. */
  turn(replaysMayGo: boolean): WorkClass | undefined {
    return this.turns.next((of) => this.sizeOf(of) > 0 && (of !== 'replay' || replaysMayGo));
  }

  /** How many are served before one of this class that comes now. Replays have a pace of their own. */
  ahead(of: WorkClass): number {
    const own = this.sizeOf(of);
    if (of === 'replay') return own;
    const { liveWeight, retryWeight } = this.weights;
    return of === 'live'
      ? own + Math.min(this.sizeOf('retry'), (own * retryWeight) / liveWeight)
      : own + Math.min(this.sizeOf('live'), (own * liveWeight) / retryWeight);
  }

  /** One that has waited for as long as it would; where events are not taken (any more), an event in any case. */
  shiftLate(now: number, takesEvents: boolean): Guest | undefined {
    for (const origin of ALL_ORIGINS) {
      const first = this.fifos[origin].peek();
      if (first === undefined) continue;
      const isUnwelcome = origin === 'event' && !takesEvents;
      if (isUnwelcome || first.since + first.patienceMs <= now) return this.fifos[origin].shift();
    }
    return undefined;
  }

  /** Takes out all that this is true of. */
  takeOut(which: (guest: Guest) => boolean): Guest[] {
    return ALL_ORIGINS.flatMap((origin) => this.fifos[origin].takeOut(which));
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

  private oldest(of: WorkClass): Fifo<Guest> | undefined {
    let oldest: Fifo<Guest> | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const origin of ORIGINS[of]) {
      const first = this.fifos[origin].peek();
      if (first === undefined || first.since >= since) continue;
      oldest = this.fifos[origin];
      since = first.since;
    }
    return oldest;
  }

  private waits(of: WorkClass): boolean {
    return of === 'replay' ? this.sizeOf('replay') > 0 : this.sizeOf('live') + this.sizeOf('retry') > 0;
  }

  private paceOf(of: WorkClass): Pace {
    return of === 'replay' ? this.paces.replay : this.paces.main;
  }
}
