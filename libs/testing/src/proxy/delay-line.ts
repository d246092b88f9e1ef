interface Waiting {
  due: number;
  pass: () => void;
}

/** Passes on what it gets after a while, in the order in which it came, also where the while becomes shorter. */
export class DelayLine {
  private readonly waiting: Waiting[] = [];

  /** @param delayMs from now on until it is passed on, at least */
  push(delayMs: number, pass: () => void): void {
    if (delayMs === 0 && this.waiting.length === 0) return pass();
    this.waiting.push({ due: performance.now() + delayMs, pass });
    if (this.waiting.length === 1) this.wait();
  }

  private wait(): void {
    const [first] = this.waiting;
    if (first === undefined) return;
    setTimeout(() => {
      this.waiting.shift();
      first.pass();
      this.wait();
    }, first.due - performance.now());
  }
}
