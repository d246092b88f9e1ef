const BITS = 32;

/**
 * How many of the latest outcomes were failures: a ring of bits. It has no ring while there is no failure in the
 * sample, which is so for nearly all of 100,000 subscriptions.
 */
export class FailureSample {
  private ring: Uint32Array | undefined;
  /** Outcomes so far, at most the size. */
  private seen = 0;
  private next = 0;
  private failed = 0;

  constructor(private readonly size: number) {}

  get failures(): number {
    return this.failed;
  }

  /** Whether as many outcomes as make up a sample have been seen. */
  get isFull(): boolean {
    return this.seen === this.size;
  }

  add(failed: boolean): void {
    if (this.seen < this.size) this.seen++;
    if (this.ring === undefined) {
      if (!failed) return;
      // All that was seen before were successes, and a bit that isn't set is one.
      this.ring = new Uint32Array(Math.ceil(this.size / BITS));
      this.next = 0;
    }
    this.write(this.ring, failed);
    if (this.failed === 0) this.ring = undefined;
  }

  clear(): void {
    this.ring = undefined;
    this.seen = 0;
    this.failed = 0;
  }

  private write(ring: Uint32Array, failed: boolean): void {
    const word = Math.floor(this.next / BITS);
    const bit = 1 << (this.next % BITS);
    const before = ring[word] as number;
    if ((before & bit) !== 0) this.failed--;
    if (failed) this.failed++;
    ring[word] = failed ? before | bit : before & ~bit;
    this.next = this.next + 1 === this.size ? 0 : this.next + 1;
  }
}
