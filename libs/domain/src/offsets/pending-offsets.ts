const FIRST_CAPACITY = 256;

/**
 * Offsets in flight, added in ascending order and removed in any. Flat arrays: at 75,000 records a second an object
 * for each would be felt.
 */
export class PendingOffsets {
  private offsets = new Float64Array(FIRST_CAPACITY);
  private timestamps = new Float64Array(FIRST_CAPACITY);
  private removed = new Uint8Array(FIRST_CAPACITY);
  /** The first entry that isn't removed; equal to `tail` when there is none. */
  private head = 0;
  private tail = 0;
  private size = 0;

  get count(): number {
    return this.size;
  }

  get oldest(): number | undefined {
    return this.size === 0 ? undefined : this.offsets[this.head];
  }

  get oldestTimestamp(): number | undefined {
    return this.size === 0 ? undefined : this.timestamps[this.head];
  }

  /** @throws RangeError if it isn't above all that were added before */
  add(offset: number, timestamp: number): void {
    if (this.tail > 0 && offset <= (this.offsets[this.tail - 1] as number)) {
      throw new RangeError(`offset ${offset} came after ${this.offsets[this.tail - 1]}`);
    }
    if (this.tail === this.offsets.length) this.makeRoom();
    this.offsets[this.tail] = offset;
    this.timestamps[this.tail] = timestamp;
    this.removed[this.tail] = 0;
    this.tail++;
    this.size++;
  }

  /** @returns false if it wasn't there */
  remove(offset: number): boolean {
    const index = this.find(offset);
    if (index === undefined) return false;
    this.removed[index] = 1;
    this.size--;
    while (this.head < this.tail && this.removed[this.head] === 1) this.head++;
    return true;
  }

  has(offset: number): boolean {
    return this.find(offset) !== undefined;
  }

  *ascending(): Generator<number> {
    for (let i = this.head; i < this.tail; i++) if (this.removed[i] === 0) yield this.offsets[i] as number;
  }

  private find(offset: number): number | undefined {
    if (this.size === 0) return undefined;
    // Without holes it stands exactly there.
    const guess = this.head + (offset - (this.offsets[this.head] as number));
    const index =
      guess >= this.head && guess < this.tail && this.offsets[guess] === offset ? guess : this.search(offset);
    return index < this.tail && this.offsets[index] === offset && this.removed[index] === 0 ? index : undefined;
  }

  private search(offset: number): number {
    let low = this.head;
    let high = this.tail;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops what was removed; doubles the arrays where more than half is still there. */
  private makeRoom(): void {
    const capacity = this.size * 2 > this.offsets.length ? this.offsets.length * 2 : this.offsets.length;
    const offsets = new Float64Array(capacity);
    const timestamps = new Float64Array(capacity);
    let kept = 0;
    for (let i = this.head; i < this.tail; i++) {
      if (this.removed[i] === 1) continue;
      offsets[kept] = this.offsets[i] as number;
      timestamps[kept] = this.timestamps[i] as number;
      kept++;
    }
    this.offsets = offsets;
    this.timestamps = timestamps;
    this.removed = new Uint8Array(capacity);
    this.head = 0;
    this.tail = kept;
  }
}
