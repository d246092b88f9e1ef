import type { Clock } from '@hookline/platform';
import { Fifo } from './fifo.js';

/** Work that needs a room. */
export interface Job {
  /** In the order in which they are served: a lane's work is older than an event's, and a replay delays neither. */
  readonly from: 'lane' | 'event' | 'replay';
  /** When an event has waited long enough, ms since the epoch; the others wait for as long as it takes. */
  readonly waitsUntil?: number;
  /** There is room: it begins, and says {@link Rooms.leave} when it has left. Must not throw. */
  begin(): void;
  /** It has waited long enough. Must not throw. */
  giveUp(): void;
}

/** One subscription's share of the rooms. It lives as long as the subscription, over its versions. */
export class Door {
  inFlight = 0;
  readonly lane = new Fifo<Job>();
  readonly event = new Fifo<Job>();
  readonly replay = new Fifo<Job>();
  /** In the line of those that wait for room in the worker. */
  inLine = false;

  get waiting(): number {
    return this.lane.size + this.event.size + this.replay.size;
  }
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

  /** @returns false if too many wait at this door already: the job was not taken */
  enter(door: Door, job: Job): boolean {
    if (door.waiting === 0 && this.hasRoom(door)) {
      this.admit(door, job);
      return true;
    }
    if (door.waiting >= this.limits.endpointQueue) return false;
    door[job.from].push(job);
    this.standInLine(door);
    if (job.from === 'event') {
      this.impatient.add(door);
      this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
    }
    return true;
  }

  leave(door: Door): void {
    door.inFlight--;
    this.taken--;
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

  private serve(): void {
    while (this.taken < this.limits.workerConcurrency) {
      const door = this.line.shift();
      if (door === undefined) return;
      door.inLine = false;
      if (!this.hasRoom(door)) continue;
      const job = door.lane.shift() ?? door.event.shift() ?? door.replay.shift();
      if (job === undefined) continue;
      this.admit(door, job);
      this.standInLine(door);
    }
  }

  private sweep(): void {
    const now = this.clock.now();
    this.cancelSweep = undefined;
    for (const door of this.impatient) {
      // All wait for the same time, so that the first to come is the first to have waited long enough.
      for (let job = door.event.peek(); job !== undefined && (job.waitsUntil ?? 0) <= now; job = door.event.peek()) {
        door.event.shift();
        job.giveUp();
      }
      if (door.event.size === 0) this.impatient.delete(door);
    }
    if (this.impatient.size > 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
  }
}
