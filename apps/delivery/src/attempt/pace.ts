/** Before so long a pace says nothing, ms: connections are being made, or the machine was busy with something else. */
const TO_KNOW_MS = 1_000;
/** What is older than this counts half in the pace, ms. */
const MEMORY_MS = 4_000;

/** How many leave in a time, while somebody waits: else it says how many come, not how many there is room for. */
export class Pace {
  private left = 0;
  /** Leaving in a ms, when it was last known. */
  known: number | undefined = undefined;

  /** @param since ms */
  constructor(private since: number) {}

  /** Somebody waits again, and nobody did. */
  begin(now: number): void {
    this.since = now;
    this.left = 0;
  }

  count(): void {
    this.left++;
  }

  /** How many leave in a ms, of late or else when it was last known; to be asked while somebody waits. */
  perMs(now: number): number | undefined {
    const passed = now - this.since;
    if (passed < TO_KNOW_MS) return this.known;
    this.known = Math.max(1, this.left) / passed;
    if (passed > MEMORY_MS) {
      this.since = now - passed / 2;
      this.left /= 2;
    }
    return this.known;
  }
}
