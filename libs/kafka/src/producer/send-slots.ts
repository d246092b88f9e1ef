/**
 * How many sends may be out at once, over all leaders. One that takes so long that its leader may be gone keeps nobody
 * else waiting: it no longer counts.
 */
export class SendSlots<Lane> {
  /** When the sends that are out began, ms. */
  private readonly out = new Map<Lane, number>();

  constructor(
    private readonly limit: number,
    private readonly patienceMs: number,
  ) {}

  begin(lane: Lane, now: number): void {
    this.out.set(lane, now);
  }

  end(lane: Lane): void {
    this.out.delete(lane);
  }

  /**
   * Milliseconds until one more may begin, besides `planned` that will at once: 0 is now, Infinity is not before one of
   * those that are planned has ended.
   */
  waitMs(planned: number, now: number): number {
    const waits = [...this.out.values()].map((began) => began + this.patienceMs - now).filter((wait) => wait > 0);
    const tooMany = planned + waits.length + 1 - this.limit;
    if (tooMany <= 0) return 0;
    return waits.toSorted((a, b) => a - b)[tooMany - 1] ?? Infinity;
  }
}
