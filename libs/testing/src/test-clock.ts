import type { Clock } from '@hookline/platform';

interface Alarm {
  at: number;
  callback: () => void;
}

/** A clock that moves only when it is told to: 24 hours pass in no time. */
export class TestClock implements Clock {
  private readonly alarms = new Set<Alarm>();

  /** @param time milliseconds since the epoch */
  constructor(private time = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm = { at: this.time + Math.max(0, ms), callback };
    this.alarms.add(alarm);
    return () => void this.alarms.delete(alarm);
  }

  /** How many callbacks wait for their time. */
  get pending(): number {
    return this.alarms.size;
  }

  /** Moves the time on and calls back, in order, whatever falls due, also what a callback has asked for meanwhile. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let alarm = this.next(end); alarm !== undefined; alarm = this.next(end)) {
      this.alarms.delete(alarm);
      this.time = Math.max(this.time, alarm.at);
      alarm.callback();
    }
    this.time = end;
  }

  /** As {@link advance}, and lets what hangs on promises run in between. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let alarm = this.next(end); alarm !== undefined; alarm = this.next(end)) {
      this.advance(alarm.at - this.time);
      await settled();
    }
    this.advance(end - this.time);
    await settled();
  }

  private next(until: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.alarms) if (alarm.at <= until && (!first || alarm.at < first.at)) first = alarm;
    return first;
  }
}

/** A turn of the event loop: every promise that can go on has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
