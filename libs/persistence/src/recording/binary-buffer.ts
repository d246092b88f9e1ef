/** 2000-01-01, from which PostgreSQL counts; ms since the epoch. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const TWO_32 = 2 ** 32;
const NULL_LENGTH = -1;

/**
 * A buffer that grows and is used again, with values in PostgreSQL's binary form: each field is its length, then its
 * bytes, big-endian. What {@link bytes} gave is overwritten after {@link reset}.
 */
export class BinaryBuffer {
  private buffer: Buffer;
  private end = 0;

  constructor(initialBytes: number) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  reset(): this {
    this.end = 0;
    return this;
  }

  get length(): number {
    return this.end;
  }

  /** A view of what was written, not a copy. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  rawInt16(value: number): this {
    this.reserve(2);
    this.end = this.buffer.writeInt16BE(value, this.end);
    return this;
  }

  rawInt32(value: number): this {
    this.reserve(4);
    this.end = this.buffer.writeInt32BE(value, this.end);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
    return this;
  }

  null(): this {
    return this.rawInt32(NULL_LENGTH);
  }

  boolean(value: boolean): this {
    this.rawInt32(1).reserve(1);
    this.end = this.buffer.writeInt8(value ? 1 : 0, this.end);
    return this;
  }

  /** @param value within 32 bits */
  int4(value: number | undefined): this {
    return value === undefined ? this.null() : this.rawInt32(4).rawInt32(value);
  }

  /** @param value a whole number, exact up to 2^53 */
  int8(value: number | undefined): this {
    if (value === undefined) return this.null();
    this.rawInt32(8).reserve(8);
    const high = Math.floor(value / TWO_32);
    this.end = this.buffer.writeInt32BE(high, this.end);
    this.end = this.buffer.writeUInt32BE(value - high * TWO_32, this.end);
    return this;
  }

  /** @param ms since the epoch */
  timestamp(ms: number | undefined): this {
    return this.int8(ms === undefined ? undefined : (ms - POSTGRES_EPOCH_MS) * 1_000);
  }

  /** @param hex 32 digits, without dashes */
  uuid(hex: string): this {
    this.rawInt32(16).reserve(16);
    this.end += this.buffer.write(hex, this.end, 16, 'hex');
    return this;
  }

  bytea(value: Uint8Array): this {
    return this.rawInt32(value.length).raw(value);
  }

  /** As UTF-8. A NUL can't be in PostgreSQL's text; the replacement character stands for it. */
  text(value: string | undefined): this {
    if (value === undefined) return this.null();
    const clean = value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
    this.reserve(4 + clean.length * 3);
    const length = this.buffer.write(clean, this.end + 4, 'utf8');
    this.buffer.writeInt32BE(length, this.end);
    this.end += 4 + length;
    return this;
  }

  private reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }
}
