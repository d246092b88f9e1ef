/** The events of one partition's range, by offset, 17 bytes each, and which rows of the pair table are theirs. */
export class PartitionEvents {
  private readonly at: Float64Array;
  private readonly first: Uint32Array;
  private readonly count: Uint32Array;
  private readonly isRepeat: Uint8Array;

  /** @param to exclusive */
  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    const size = to - from;
    this.at = new Float64Array(size);
    this.first = new Uint32Array(size);
    this.count = new Uint32Array(size);
    this.isRepeat = new Uint8Array(size);
  }

  has(offset: number): boolean {
    return offset >= this.from && offset < this.to;
  }

  set(offset: number, at: number, first: number, count: number): void {
    const i = offset - this.from;
    this.at[i] = at;
    this.first[i] = first;
    this.count[i] = count;
  }

  /** Its append time, ms since the epoch; 0 where there is no event. */
  appendedAt(offset: number): number {
    return this.at[offset - this.from] as number;
  }

  /** Its rows: from the first one on, so many. */
  rows(offset: number): { first: number; count: number } {
    const i = offset - this.from;
    return { first: this.first[i] as number, count: this.count[i] as number };
  }

  /** @returns false where that was known */
  markRepeat(offset: number): boolean {
    const i = offset - this.from;
    if (this.isRepeat[i] === 1) return false;
    this.isRepeat[i] = 1;
    return true;
  }

  repeats(offset: number): boolean {
    return this.isRepeat[offset - this.from] === 1;
  }

  /** The append time of the first event at or after an offset; undefined where the range has none. */
  firstAtFrom(offset: number): number | undefined {
    for (let i = Math.max(0, offset - this.from); i < this.at.length; i += 1)
      if (this.at[i] !== 0) return this.at[i] as number;
    return undefined;
  }
}
