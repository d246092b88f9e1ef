import { LONGEST_TIMER_MS, type Clock } from '@hookline/platform';

/** One timer for the deadlines of all records: a timer each would cost more than the record. */
export class DeadlineTimer {
  private armedFor = Infinity;
  private cancel: () => void = () => undefined;

  /** @param onDue returns the earliest deadline that is left */
  constructor(
    private readonly clock: Clock,
    private readonly onDue: (now: number) => number,
  ) {}

  note(deadlineAt: number): void {
    if (deadlineAt >= this.armedFor) return;
    this.cancel();
    this.armedFor = deadlineAt;
    const wait = Math.min(deadlineAt - this.clock.now(), LONGEST_TIMER_MS);
    this.cancel = this.clock.after(wait, () => this.fire());
  }

  stop(): void {
    this.cancel();
    this.armedFor = Infinity;
  }

  private fire(): void {
    this.armedFor = Infinity;
    this.note(this.onDue(this.clock.now()));
  }
}
