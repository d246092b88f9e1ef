import { Tagger } from '@hookline/domain';
import { InvalidCursor } from './cursor.js';

/** Where a reader of the stream stands: by partition, the offset of the next event. One that is missing begins at 0. */
export type StreamPosition = ReadonlyMap<number, number>;

const VERSION = 1;
/** Seven bits of a number in each byte; the eighth says that more follow. */
const BYTE = 128;

/**
 * A position as one opaque text: base64url of the version (a byte), for each partition from 0 on its offset plus one as
 * a varint (0: not in the position), and a tag over these and the tenant. It holds no state of ours: any process that
 * has the keys reads it, whenever.
 */
export class StreamCursors {
  private readonly tagger: Tagger;

  /** @param keys the sealing keys: the first one makes cursors, all of them read them */
  constructor(keys: readonly string[]) {
    this.tagger = new Tagger(keys, 'stream cursor');
  }

  encode(tenantId: string, position: StreamPosition): string {
    const count = Math.max(-1, ...position.keys()) + 1;
    const bytes = [VERSION];
    for (let partition = 0; partition < count; partition += 1) {
      const offset = position.get(partition);
      putNumber(bytes, offset === undefined ? 0 : offset + 1);
    }
    const body = Buffer.from(bytes);
    return Buffer.concat([body, this.tagger.tag(bound(body, tenantId))]).toString('base64url');
  }

  /** @throws InvalidCursor if it was made by nobody who has our keys, or for another tenant */
  decode(tenantId: string, text: string): StreamPosition {
    const bytes = Buffer.from(text, 'base64url');
    // Node reads over what is no base64url; there is one way to write a cursor.
    if (bytes.length <= Tagger.bytes || bytes.toString('base64url') !== text) throw invalid();
    const body = bytes.subarray(0, -Tagger.bytes);
    if (!this.tagger.isTagOf(bytes.subarray(-Tagger.bytes), bound(body, tenantId))) throw invalid();
    if (body[0] !== VERSION) throw new InvalidCursor('the cursor is of another release');
    return positionOf(body.subarray(1));
  }
}

function bound(body: Buffer, tenantId: string): Buffer {
  return Buffer.concat([body, Buffer.from(`/${tenantId}`)]);
}

function putNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= BYTE; rest = Math.floor(rest / BYTE)) bytes.push((rest % BYTE) + BYTE);
  bytes.push(rest);
}

function positionOf(numbers: Buffer): StreamPosition {
  const position = new Map<number, number>();
  let partition = 0;
  let value = 0;
  let unit = 1;
  for (const byte of numbers) {
    value += (byte % BYTE) * unit;
    unit *= BYTE;
    if (byte >= BYTE) continue;
    if (value > 0) position.set(partition, value - 1);
    partition += 1;
    [value, unit] = [0, 1];
  }
  return position;
}

function invalid(): InvalidCursor {
  return new InvalidCursor('the cursor is not one that a poll of this tenant gave');
}
