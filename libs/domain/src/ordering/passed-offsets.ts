interface Passed {
  readonly group: string;
  readonly offset: number;
}

/**
 * Which events of a stream's group are through (delivered, or in the dead letters), exactly: the latest `capacity` of them. A
 * copy of a hand-over is known by it. A maximum would be smaller, and would lose whatever comes late and was never
 * there before; what is forgotten here is at worst delivered once more.
 */
export class PassedOffsets {
  private readonly groups = new Map<string, Set<number>>();
  /** A ring, in the order in which they passed. */
  private readonly ring: Passed[] = [];
  private oldest = 0;

  constructor(private readonly capacity: number) {}

  /** @param group the subscription, its replay and the partition of the events */
  has(group: string, offset: number): boolean {
    return this.groups.get(group)?.has(offset) === true;
  }

  add(group: string, offset: number): void {
    if (this.has(group, offset) || this.capacity === 0) return;
    if (this.ring.length < this.capacity) this.ring.push({ group, offset });
    else {
      this.forget(this.ring[this.oldest] as Passed);
      this.ring[this.oldest] = { group, offset };
      this.oldest = (this.oldest + 1) % this.capacity;
    }
    const offsets = this.groups.get(group);
    if (offsets === undefined) this.groups.set(group, new Set([offset]));
    else offsets.add(offset);
  }

  private forget({ group, offset }: Passed): void {
    const offsets = this.groups.get(group);
    offsets?.delete(offset);
    if (offsets?.size === 0) this.groups.delete(group);
  }
}
