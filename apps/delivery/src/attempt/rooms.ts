import type { Clock } from '@hookline/platform';
import { Door, type Origin } from './door.js';
import { Fifo } from './fifo.js';

/** Work that needs a room. */
export interface Job {
  readonly from: Origin;
  /** How long it may wait, ms: it is not taken where that would be longer, and gives up after it. */
  readonly patienceMs: number;
  /** There is room: it begins, and says {@link Rooms.leave} when it has left. Must not throw. */
  begin(): void;
  /** It has waited long enough. Must not throw. */
  giveUp(): void;
}

export interface RoomLimits {
  /** In flight for each subscription. */
  endpointConcurrency: number;
  /** In flight in all. */
  workerConcurrency: number;
  /** Waiting for each subscription. */
  endpointQueue: number;
}

const SWEEP_MS = 50;

/**
 * How many attempts may be in flight, for each subscription and in all. What finds no room waits at its subscription's
 * door; where the worker is full, the doors are served in turn, so that a wide one doesn't keep the others out.
 */
export class Rooms {
  private taken = 0;
  private serving = false;
  /** Doors with someone waiting and room behind them, while the worker is full. */
  private readonly line = new Fifo<Door>();
  /** Doors at which someone may have waited long enough. */
  private readonly impatient = new Set<Door>();
  private cancelSweep: (() => void) | undefined;

  constructor(
    private readonly limits: RoomLimits,
    private readonly clock: Clock,
  ) {}

  get inFlight(): number {
    return this.taken;
  }

  /** @returns false if it would have to wait too long, or too many wait at this door already: it was not taken */
  enter(door: Door, job: Job): boolean {
    if (door.waiting === 0 && this.hasRoom(door)) {
      this.admit(door, job);
      return true;
    }
    const now = this.clock.now();
    if (this.isTooLong(door, job, now)) return false;
    door.push(job, now);
    this.standInLine(door);
    this.impatient.add(door);
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
    return true;
  }

  /** How long one more would wait at this door, ms. */
  expectedWaitMs(door: Door, from: Origin): number {
    return door.expectedWaitMs(from, this.clock.now());
  }

  private isTooLong(door: Door, { from, patienceMs }: Job, now: number): boolean {
    if (door.waiting >= this.limits.endpointQueue) return true;
    // A handful may wait in any case: as many as one round of attempts takes.
    return door.ahead(from) >= this.limits.endpointConcurrency && door.expectedWaitMs(from, now) > patienceMs;
  }

  leave(door: Door): void {
    door.inFlight--;
    this.taken--;
    door.left();
    this.standInLine(door);
    this.serve();
  }

  private hasRoom(door: Door): boolean {
    return door.inFlight < this.limits.endpointConcurrency && this.taken < this.limits.workerConcurrency;
  }

  private admit(door: Door, job: Job): void {
    door.inFlight++;
    this.taken++;
    job.begin();
  }

  private standInLine(door: Door): void {
    if (door.inLine || door.waiting === 0 || door.inFlight >= this.limits.endpointConcurrency) return;
    door.inLine = true;
    this.line.push(door);
  }

  /** A job may leave before it has really begun, and ask for the next one: that is the loop's business, not the stack's. */
  private serve(): void {
    if (this.serving) return;
    this.serving = true;
    try {
      this.serveAll();
    } finally {
      this.serving = false;
    }
  }

  private serveAll(): void {
    while (this.taken < this.limits.workerConcurrency) {
      const door = this.line.shift();
      if (door === undefined) return;
      door.inLine = false;
      if (!this.hasRoom(door)) continue;
      const job = door.shift();
      if (job === undefined) continue;
      this.admit(door, job);
      this.standInLine(door);
    }
  }

  private sweep(): void {
    const now = this.clock.now();
    this.cancelSweep = undefined;
    for (const door of this.impatient) {
      for (let job = door.shiftLate(now); job !== undefined; job = door.shiftLate(now)) job.giveUp();
      if (door.waiting === 0) this.impatient.delete(door);
    }
    if (this.impatient.size > 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
  }
}
