import { Output } from './output.js';

/** How Java's producers frame it: blocks, each behind its length. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

/**
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 * @throws RangeError when the bytes are cut off or refer to what is not there
 */
export function decompressSnappy(input: Buffer): Buffer {
  if (!input.subarray(0, XERIAL.length).equals(XERIAL)) return block(input);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < input.length;) {
    const size = input.readUInt32BE(at);
    at += 4;
    if (at + size > input.length) throw new RangeError('compressed bytes end too early');
    blocks.push(block(input.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat(blocks);
}

function block(input: Buffer): Buffer {
  const [expected, begin] = varint(input);
  // What is said may be wrong; a copy makes no more of its bytes than this.
  const output = new Output(Math.min(expected, 64 * input.length));
  let at = begin;
  while (at < input.length) {
    const tag = input[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      // 60 to 63: the length stands in the next one to four bytes.
      const extra = Math.max(0, short - 59);
      const count = 1 + (extra === 0 ? short : input.readUIntLE(at, extra));
      output.literal(input, at + extra, count);
      at += extra + count;
    } else if (kind === 1) {
      output.repeat(((tag >> 5) << 8) | input.readUInt8(at), 4 + ((tag >> 2) & 7));
      at += 1;
    } else {
      const width = kind === 2 ? 2 : 4;
      output.repeat(input.readUIntLE(at, width), 1 + (tag >> 2));
      at += width;
    }
  }
  const { content } = output;
  if (content.length !== expected) throw new RangeError(`${content.length} bytes came out instead of ${expected}`);
  return content;
}

/** @returns the number, and where it ends */
function varint(input: Buffer): [number, number] {
  let value = 0;
  for (let at = 0; at < 5; at++) {
    const byte = input.readUInt8(at);
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return [value, at + 1];
  }
  throw new RangeError('the length is no number');
}
