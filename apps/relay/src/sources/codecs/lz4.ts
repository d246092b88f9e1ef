import { Output } from './output.js';

const MAGIC = 0x184d2204;
const HAS_DICTIONARY = 0x01;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_CONTENT_SIZE = 0x08;
const HAS_BLOCK_CHECKSUM = 0x10;
const UNCOMPRESSED = 0x80000000;
const LEAST_MATCH = 4;

/**
 * Frames of LZ4, as Kafka's batches have them. Checksums are not looked at: the batch has one of its own.
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @throws RangeError when the bytes are no frame, are cut off, or refer to what is not there
 */
export function decompressLz4(input: Buffer): Buffer {
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw new RangeError('there is no LZ4 frame');
  const flags = input.readUInt8(4);
  if (flags & HAS_DICTIONARY) throw new RangeError('an LZ4 frame with a dictionary');
  // Magic, flags and block size; perhaps the content's size; the header's checksum.
  let at = 6 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + 1;
  // One output for all blocks: they may refer to the ones before them.
  const output = new Output(4 * input.length);
  for (;;) {
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = word & ~UNCOMPRESSED;
    if (word >= UNCOMPRESSED) output.literal(input, at, size);
    else decompressBlock(input, at, at + size, output);
    at += size + (flags & HAS_BLOCK_CHECKSUM ? 4 : 0);
  }
  if (at + (flags & HAS_CONTENT_CHECKSUM ? 4 : 0) > input.length)
    throw new RangeError('compressed bytes end too early');
  return output.content;
}

function decompressBlock(input: Buffer, begin: number, end: number, output: Output): void {
  if (end > input.length) throw new RangeError('compressed bytes end too early');
  let at = begin;
  /** What a nibble says, and the bytes of 255 that go on with it. */
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let more = 255; more === 255; length += more) more = input.readUInt8(at++);
    return length;
  };
  while (at < end) {
    const token = input.readUInt8(at++);
    const literals = lengthFrom(token >> 4);
    output.literal(input, at, literals);
    at += literals;
    // The last sequence has no match.
    if (at >= end) return;
    const distance = input.readUInt16LE(at);
    at += 2;
    output.repeat(distance, LEAST_MATCH + lengthFrom(token & 15));
  }
}
