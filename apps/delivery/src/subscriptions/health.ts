/**
 * What this worker has seen of an endpoint. After some failures in a row it looks unhealthy, and events go to the lane
 * at once, but for one now and then: a worker that does not own the lane would not hear of its recovery otherwise.
 */
export class EndpointHealth {
  private failures = 0;
  private nextProbe = 0;

  constructor(private readonly rules: { readonly unhealthyAfter: number; readonly unhealthyProbeMs: number }) {}

  succeeded(): void {
    this.failures = 0;
  }

  failed(now: number): void {
    this.failures++;
    if (this.failures === this.rules.unhealthyAfter) this.nextProbe = now + this.rules.unhealthyProbeMs;
  }

  /** Whether an event may be tried directly now; where it looks unhealthy, a yes is used up. */
  admits(now: number): boolean {
    if (this.failures < this.rules.unhealthyAfter) return true;
    if (now < this.nextProbe) return false;
    this.nextProbe = now + this.rules.unhealthyProbeMs;
    return true;
  }
}
