import { fingerprintOf, opens, remainderOf, sumOf, type Remainder } from './remainder.js';

/** The parts of one record that is several pieces of work, and which of them are complete. */
export class RecordParts {
  private readonly openParts: Set<string>;
  private told: Remainder | undefined;

  /**
   * @param parts all of them, by names that are the same whoever does the work
   * @param restored what a former owner left of them; absent: all
   * @param changed called when one is complete
   */
  constructor(
    private readonly parts: readonly string[],
    restored: Remainder | undefined,
    private readonly changed: () => void,
  ) {
    this.openParts = new Set(parts);
    if (restored === undefined) return;
    const isOpen = opens(restored, parts.map(fingerprintOf));
    for (const part of parts) if (!isOpen(fingerprintOf(part))) this.openParts.delete(part);
  }

  /** What is to be done. */
  get open(): ReadonlySet<string> {
    return this.openParts;
  }

  /** The outcome of this part is durable. */
  complete(part: string): void {
    if (!this.openParts.delete(part)) return;
    this.told = undefined;
    this.changed();
  }

  /** For the commit; undefined where nothing is complete, which need not be said. */
  remainder(): Remainder | undefined {
    const open = this.openParts;
    if (open.size === this.parts.length) return undefined;
    return (this.told ??= remainderOf(
      sumOf(this.parts.map(fingerprintOf)),
      [...open].map(fingerprintOf),
      this.parts.filter((part) => !open.has(part)).map(fingerprintOf),
    ));
  }
}
