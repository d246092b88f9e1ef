const HEADER_BYTES = 12;

/** What a Kafka frame begins with. In a request: api key and version, then the correlation id; in an answer: that id. */
export interface FrameHeader {
  apiKey: number;
  requestId: number;
  answerId: number;
}

/** Finds where Kafka's frames begin in a stream of chunks: four bytes of length, then the frame. */
export class FrameHeaders {
  private head = Buffer.alloc(0);
  private left = 0;

  /** The headers that became known with this chunk. */
  push(chunk: Buffer): FrameHeader[] {
    const found: FrameHeader[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      const step = Math.min(HEADER_BYTES - this.head.length, chunk.length - at);
      this.head = Buffer.concat([this.head, chunk.subarray(at, at + step)]);
      at += step;
      if (this.head.length < HEADER_BYTES) break;
      found.push({
        apiKey: this.head.readInt16BE(4),
        requestId: this.head.readInt32BE(8),
        answerId: this.head.readInt32BE(4),
      });
      this.left = this.head.readInt32BE(0) - (HEADER_BYTES - 4);
      this.head = Buffer.alloc(0);
    }
    return found;
  }
}
