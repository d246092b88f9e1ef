import {
  checksum,
  fromBits,
  fromLengths,
  MAX_METADATA_CHARACTERS,
  toBits,
  toLengths,
  type Packed,
} from './base32768.js';
import type { OffsetRun } from './completion-tracker.js';

export { MAX_METADATA_CHARACTERS };

const LENGTHS = 'h1r';
const BITS = 'h1b';
/** The version and kind, then one character of checksum. */
const HEAD = LENGTHS.length + 1;

export interface EncodedMetadata {
  text: string;
  /** False if not everything found room: what is missing would be repeated after a restart. */
  whole: boolean;
}

/**
 * What is complete above the watermark, as the text of a commit: run lengths or a bit for each offset, whichever is
 * shorter. Each character is one of 32,768, none of them a surrogate, and three bytes of UTF-8.
 * @param runs ascending, apart from one another, above the watermark
 * @param limit the number of characters that the broker takes (`offset.metadata.max.bytes`)
 */
export function encodeOffsetMetadata(
  watermark: number,
  runs: readonly OffsetRun[],
  limit: number = MAX_METADATA_CHARACTERS,
): EncodedMetadata {
  if (runs.length === 0) return { text: '', whole: true };
  const room = limit - HEAD;
  if (room <= 0) return { text: '', whole: false };
  const lengths = toLengths(watermark, runs, room);
  const bits = toBits(watermark, runs, room);
  const [kind, packed] = isBetter(lengths, bits) ? [LENGTHS, lengths] : [BITS, bits];
  return { text: kind + checksum(watermark, kind, packed.text) + packed.text, whole: packed.whole };
}

/** The whole truth before a part of it; then the shorter text, or the part that reaches farther. */
function isBetter(one: Packed, other: Packed): boolean {
  if (one.whole !== other.whole) return one.whole;
  return one.whole ? one.text.length <= other.text.length : one.reached >= other.reached;
}

/**
 * The inverse. What can't be read, or was written for another watermark, tells nothing: the records above the
 * watermark are then repeated, which is safe, while a wrong "complete" would lose them. Never throws.
 */
export function decodeOffsetMetadata(watermark: number, text: string | null | undefined): OffsetRun[] {
  if (typeof text !== 'string' || text.length > MAX_METADATA_CHARACTERS) return [];
  const kind = text.slice(0, HEAD - 1);
  const body = text.slice(HEAD);
  if (text[HEAD - 1] !== checksum(watermark, kind, body)) return [];
  if (kind === LENGTHS) return fromLengths(watermark, body) ?? [];
  if (kind === BITS) return fromBits(watermark, body) ?? [];
  return [];
}
