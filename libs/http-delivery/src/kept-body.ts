/** The beginning of a body, in a copy: what undici gives is a part of the socket's much larger buffer. */
export class KeptBody {
  private bytes: Buffer | undefined;
  private length = 0;

  /** @param most bytes that are kept */
  constructor(private readonly most: number) {}

  get full(): boolean {
    return this.length >= this.most;
  }

  add(chunk: Buffer): void {
    if (this.full) return;
    const length = Math.min(chunk.length, this.most - this.length);
    if (this.bytes === undefined) {
      // Most bodies are one chunk.
      this.bytes = Buffer.from(chunk.subarray(0, length));
    } else {
      // Once and for all, or a body that comes byte by byte would be copied as often.
      if (this.bytes.length < this.most) this.bytes = Buffer.concat([this.bytes], this.most);
      chunk.copy(this.bytes, this.length, 0, length);
    }
    this.length += length;
  }

  /** As text; what is no UTF-8 is replaced. */
  toString(): string {
    return this.bytes?.toString('utf8', 0, this.length) ?? '';
  }
}
