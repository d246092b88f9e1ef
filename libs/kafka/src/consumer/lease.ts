/**
 * For how long this member may believe that the group counts on it: until the session timeout after the sending of
 * the last request that the coordinator accepted. Both clocks must agree: the monotonic one isn't moved by anybody,
 * and the wall clock goes on while the whole machine is suspended.
 */
export class Lease {
  private last: { monotonic: number; wall: number } | undefined;

  constructor(
    private readonly sessionTimeoutMs: number,
    private readonly monotonic: () => number,
    private readonly wall: () => number,
  ) {}

  /** To be taken before a request is sent, and given to {@link renew} when it was accepted. */
  stamp(): { monotonic: number; wall: number } {
    return { monotonic: this.monotonic(), wall: this.wall() };
  }

  renew(sent: { monotonic: number; wall: number }): void {
    this.last = sent;
  }

  end(): void {
    this.last = undefined;
  }

  /** Milliseconds since the last request that was accepted. */
  get ageMs(): number | undefined {
    return this.last && Math.max(this.monotonic() - this.last.monotonic, this.wall() - this.last.wall);
  }

  get valid(): boolean {
    const age = this.ageMs;
    return age !== undefined && age < this.sessionTimeoutMs;
  }
}
