import {
  checksum,
  fromBits,
  fromLengths,
  MAX_METADATA_CHARACTERS,
  number,
  TextReader,
  toBits,
  toLengths,
  type Packed,
} from './base32768.js';
import type { OffsetRun, RemainderRun } from './offset-run.js';
import { fromGroups, toGroups } from './remainder-groups.js';

export { MAX_METADATA_CHARACTERS };

/** The first version, which says nothing of records' parts: still written where there is nothing to say of them. */
const WITHOUT_PARTS = 'h1';
/** The second: the length of what the first would have, that, and the remainders. */
const WITH_PARTS = 'h2';
const LENGTHS = 'r';
const BITS = 'b';
/** The version and kind, then one character of checksum. */
const HEAD = 4;

/** What is known to be complete at and above a watermark. */
export interface OffsetProgress {
  /** Ascending, apart from one another. */
  readonly complete: readonly OffsetRun[];
  /** Of what is not complete, that of which some parts are; ascending, apart from one another. */
  readonly remainders: readonly RemainderRun[];
}

export interface EncodedMetadata {
  text: string;
  /** False if not everything found room: what is missing would be repeated after a restart. */
  whole: boolean;
}

const NOTHING: OffsetProgress = { complete: [], remainders: [] };

/**
 * What is complete above the watermark, as the text of a commit: run lengths or a bit for each offset, whichever is
 * shorter; then what is left of the records of which some parts are complete. Each character is one of 32,768, none of
 * them a surrogate, and three bytes of UTF-8.
 * @param limit the number of characters that the broker takes (`offset.metadata.max.bytes`)
 */
export function encodeOffsetMetadata(
  watermark: number,
  { complete, remainders }: OffsetProgress,
  limit: number = MAX_METADATA_CHARACTERS,
): EncodedMetadata {
  if (complete.length === 0 && remainders.length === 0) return { text: '', whole: true };
  const room = limit - HEAD;
  if (room <= 0) return { text: '', whole: false };
  const { kind, packed } = offsets(watermark, complete, room);
  if (remainders.length > 0) {
    const offsetsPart = number(packed.text.length) + packed.text;
    const groups = toGroups(watermark, remainders, complete, room - offsetsPart.length);
    if (groups.text.length > 0) {
      const whole = packed.whole && groups.whole;
      return { text: sealed(watermark, WITH_PARTS + kind, offsetsPart + groups.text), whole };
    }
    if (packed.text.length === 0) return { text: '', whole: false };
  }
  return { text: sealed(watermark, WITHOUT_PARTS + kind, packed.text), whole: packed.whole && remainders.length === 0 };
}

function sealed(watermark: number, kind: string, body: string): string {
  return kind + checksum(watermark, kind, body) + body;
}

function offsets(watermark: number, runs: readonly OffsetRun[], room: number): { kind: string; packed: Packed } {
  const lengths = toLengths(watermark, runs, room);
  if (runs.length === 0) return { kind: LENGTHS, packed: lengths };
  const bits = toBits(watermark, runs, room);
  return isBetter(lengths, bits) ? { kind: LENGTHS, packed: lengths } : { kind: BITS, packed: bits };
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
export function decodeOffsetMetadata(watermark: number, text: string | null | undefined): OffsetProgress {
  if (typeof text !== 'string' || text.length > MAX_METADATA_CHARACTERS) return NOTHING;
  const kind = text.slice(0, HEAD - 1);
  const body = text.slice(HEAD);
  if (text[HEAD - 1] !== checksum(watermark, kind, body)) return NOTHING;
  const version = kind.slice(0, 2);
  if (version === WITHOUT_PARTS) return { complete: runsOf(kind, watermark, body) ?? [], remainders: [] };
  return version === WITH_PARTS ? (withParts(kind, watermark, body) ?? NOTHING) : NOTHING;
}

function runsOf(kind: string, watermark: number, body: string): OffsetRun[] | undefined {
  if (kind.endsWith(LENGTHS)) return fromLengths(watermark, body);
  return kind.endsWith(BITS) ? fromBits(watermark, body) : undefined;
}

function withParts(kind: string, watermark: number, body: string): OffsetProgress | undefined {
  const reader = new TextReader(body);
  try {
    const complete = runsOf(kind, watermark, reader.take(reader.number()));
    return complete && { complete, remainders: fromGroups(watermark, reader) };
  } catch {
    return undefined;
  }
}
