import { LONGEST_TIMER_MS, type Clock } from '@hookline/platform';

interface Waiting {
  /** ms since the epoch */
  readonly due: number;
  readonly go: () => void;
  readonly drop: () => void;
}

/**
 * What waits for its time in one partition of a lane, first due first, with one timer for all. Jitter lets a record be
 * due before one that stands ahead of it in the log, so the order is kept here.
 */
export class DueQueue {
  /** A binary heap by due time. */
  private readonly heap: Waiting[] = [];
  private timer: { readonly due: number; readonly cancel: () => void } | undefined;
  private closed = false;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.heap.length;
  }

  /** Calls `go` when it is due, never before; or `drop` when the queue is closed. */
  add(due: number, go: () => void, drop: () => void): void {
    if (this.closed) return drop();
    this.heap.push({ due, go, drop });
    this.rise(this.heap.length - 1);
    this.setTimer();
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    for (const waiting of this.heap.splice(0)) waiting.drop();
  }

  private setTimer(): void {
    const first = this.heap[0];
    if (first === undefined || (this.timer !== undefined && this.timer.due <= first.due)) return;
    this.timer?.cancel();
    const wait = Math.min(first.due - this.clock.now(), LONGEST_TIMER_MS);
    this.timer = { due: first.due, cancel: this.clock.after(wait, () => this.ring()) };
  }

  private ring(): void {
    this.timer = undefined;
    const now = this.clock.now();
    // A timer may ring a little early; then it is set once more.
    while (this.heap[0] !== undefined && this.heap[0].due <= now) this.takeFirst().go();
    if (!this.closed) this.setTimer();
  }

  private takeFirst(): Waiting {
    const first = this.heap[0] as Waiting;
    const last = this.heap.pop() as Waiting;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
    return first;
  }

  private rise(at: number): void {
    const moving = this.heap[at] as Waiting;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.heap[parent] as Waiting).due <= moving.due) break;
      this.heap[at] = this.heap[parent] as Waiting;
      at = parent;
    }
    this.heap[at] = moving;
  }

  private sink(at: number): void {
    const moving = this.heap[at] as Waiting;
    for (;;) {
      let child = 2 * at + 1;
      const right = this.heap[child + 1];
      if (right !== undefined && right.due < (this.heap[child] as Waiting).due) child++;
      const smaller = this.heap[child];
      if (smaller === undefined || smaller.due >= moving.due) break;
      this.heap[at] = smaller;
      at = child;
    }
    this.heap[at] = moving;
  }
}
