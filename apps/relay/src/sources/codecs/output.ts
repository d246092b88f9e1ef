/** No batch of a broker comes near this: what says so is broken, or made to fill the memory. */
const MOST_BYTES = 256 * 1_048_576;

/** Bytes that grow as they are decompressed, and can be copied from themselves. */
export class Output {
  private bytes: Buffer;
  private length = 0;

  constructor(expected: number) {
    this.bytes = Buffer.allocUnsafe(Math.min(Math.max(expected, 64), MOST_BYTES));
  }

  /** @throws RangeError where the input ends before them, or the output would be too large */
  literal(input: Buffer, from: number, count: number): void {
    if (from + count > input.length) throw new RangeError('compressed bytes end too early');
    this.reserve(count);
    input.copy(this.bytes, this.length, from, from + count);
    this.length += count;
  }

  /** Repeats what was written `distance` bytes ago, which may overlap with what is written. @throws RangeError */
  repeat(distance: number, count: number): void {
    const from = this.length - distance;
    if (distance === 0 || from < 0) throw new RangeError('compressed bytes refer to what is not there');
    this.reserve(count);
    if (distance >= count) this.bytes.copyWithin(this.length, from, from + count);
    else for (let i = 0; i < count; i++) this.bytes[this.length + i] = this.bytes[from + i] as number;
    this.length += count;
  }

  get content(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (needed > MOST_BYTES) throw new RangeError('decompressed bytes are too many');
    const grown = Buffer.allocUnsafe(Math.min(MOST_BYTES, Math.max(needed, 2 * this.bytes.length)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
