import type { Clock } from '@hookline/platform';

/** What the gate looks at: a view, or anything that knows how far behind it may be. */
export interface Freshness {
  readonly isComplete: boolean;
  /** ms; Infinity while it is not complete. */
  staleForMs(): number;
}

/** What the gate closes. */
export interface Intake {
  pauseIntake(reason: string): void;
  resumeIntake(reason: string): void;
}

const REASON = 'the view of the subscriptions is behind';
const LOOK_MS = 250;

/** Lets nothing in while the view of the subscriptions may miss something: what it misses would match nothing, unseen. */
export class ViewGate {
  private closed = false;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly view: Freshness,
    private readonly intakes: readonly Intake[],
    private readonly staleMs: number,
    private readonly clock: Clock,
  ) {}

  /** Looks at once and then again and again. */
  start(): void {
    this.look();
    this.cancel = this.clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.cancel?.();
  }

  get isOpen(): boolean {
    return !this.closed;
  }

  private look(): void {
    const close = !this.view.isComplete || this.view.staleForMs() > this.staleMs;
    if (close === this.closed) return;
    this.closed = close;
    for (const intake of this.intakes) {
      if (close) intake.pauseIntake(REASON);
      else intake.resumeIntake(REASON);
    }
  }
}
