import { Fifo } from './fifo.js';
import type { Job } from './rooms.js';

/** In the order in which they are served: a lane's work is older than an event's, and a replay delays neither. */
export type Origin = 'lane' | 'event' | 'replay';

/** Before so long a pace says nothing, ms: connections are being made, or the machine was busy with something else. */
const TO_KNOW_MS = 1_000;
/** What is older than this counts half in the pace, ms. */
const MEMORY_MS = 4_000;

interface Waiting {
  readonly job: Job;
  /** ms since the epoch. */
  readonly since: number;
}

/** One subscription's share of the rooms, and those who wait for it. It lives over the subscription's versions. */
export class Door {
  inFlight = 0;
  /** In the line of those that wait for room in the worker. */
  inLine = false;
  private readonly queues = { lane: new Fifo<Waiting>(), event: new Fifo<Waiting>(), replay: new Fifo<Waiting>() };
  /** How many have left since when, while somebody waited. */
  private pace = { since: 0, left: 0 };

  get waiting(): number {
    return this.ahead('replay');
  }

  /** How many are served before one that comes now. */
  ahead(from: Origin): number {
    const { lane, event, replay } = this.queues;
    return lane.size + event.size + (from === 'replay' ? replay.size : 0);
  }

  push(job: Job, now: number): void {
    if (this.waiting === 0) this.pace = { since: now, left: 0 };
    this.queues[job.from].push({ job, since: now });
  }

  /** Who is next. */
  shift(): Job | undefined {
    const { lane, event, replay } = this.queues;
    return (lane.shift() ?? event.shift() ?? replay.shift())?.job;
  }

  /** One that has waited for as long as it would. In a queue all have the same patience: the first to come is the first. */
  shiftLate(now: number): Job | undefined {
    for (const queue of Object.values(this.queues)) {
      const first = queue.peek();
      if (first !== undefined && first.since + first.job.patienceMs <= now) return queue.shift()?.job;
    }
    return undefined;
  }

  left(): void {
    this.pace.left++;
  }

  /** How long one more would wait, by the pace of late, ms; 0 while that is not known. */
  expectedWaitMs(from: Origin, now: number): number {
    const passed = now - this.pace.since;
    if (this.waiting === 0 || passed < TO_KNOW_MS) return 0;
    const expected = (this.ahead(from) * passed) / Math.max(1, this.pace.left);
    if (passed > MEMORY_MS) this.pace = { since: now - passed / 2, left: this.pace.left / 2 };
    return expected;
  }
}
