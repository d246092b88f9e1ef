import { Fifo } from './fifo.js';
import type { Job } from './rooms.js';

/** In the order in which they are served: a lane's work is older than an event's, and a replay delays neither. */
export type Origin = 'lane' | 'event' | 'replay';

/** Before so long a pace says nothing, ms: connections are being made, or the machine was busy with something else. */
const TO_KNOW_MS = 1_000;
/** What is older than this counts half in the pace, ms. */
const MEMORY_MS = 4_000;

/** One subscription's share of the rooms, and those who wait for it. It lives over the subscription's versions. */
export class Door {
  inFlight = 0;
  /** In the line of those that wait for room in the worker. */
  inLine = false;
  private readonly queues = { lane: new Fifo<Job>(), event: new Fifo<Job>(), replay: new Fifo<Job>() };
  /** When the waiting events came; ms since the epoch. */
  private readonly eventTimes = new Fifo<number>();
  /** How many have left since when, while somebody waited. */
  private pace = { since: 0, left: 0 };

  get waiting(): number {
    return this.queues.lane.size + this.queues.event.size + this.queues.replay.size;
  }

  get waitingEvents(): number {
    return this.queues.event.size;
  }

  push(job: Job, now: number): void {
    if (this.waiting === 0) this.pace = { since: now, left: 0 };
    this.queues[job.from].push(job);
    if (job.from === 'event') this.eventTimes.push(now);
  }

  /** Who is next. */
  shift(): Job | undefined {
    const { lane, event, replay } = this.queues;
    const older = lane.shift();
    if (older !== undefined) return older;
    if (event.size > 0) this.eventTimes.shift();
    return event.shift() ?? replay.shift();
  }

  /** An event that has waited for as long as it would. All have the same patience: the first to come is the first. */
  shiftLate(now: number): Job | undefined {
    const job = this.queues.event.peek();
    if (job === undefined || (this.eventTimes.peek() as number) + job.patienceMs > now) return undefined;
    this.eventTimes.shift();
    return this.queues.event.shift();
  }

  left(): void {
    this.pace.left++;
  }

  /** How long one more would wait, by the pace of late, ms; 0 while that is not known. */
  expectedWaitMs(now: number): number {
    const passed = now - this.pace.since;
    if (this.waiting === 0 || passed < TO_KNOW_MS) return 0;
    const expected = (this.waiting * passed) / Math.max(1, this.pace.left);
    if (passed > MEMORY_MS) this.pace = { since: now - passed / 2, left: this.pace.left / 2 };
    return expected;
  }
}
