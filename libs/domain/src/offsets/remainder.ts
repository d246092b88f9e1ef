import { FINGERPRINT_LIMIT, number, fingerprintText, TextReader } from './base32768.js';

/**
 * What is still to be done of a record that is several pieces of work, as short text: the fingerprints of the parts
 * that are open, or of those that are complete, whichever are fewer. Two that are equal are equal texts.
 */
export type Remainder = string;

/**
 * 30 bits that tell a part apart from the others of its record. FNV-1a, and the last mixing of murmur3 over it (Appleby):
 * names that differ in one letter must differ in all bits.
 */
export function fingerprintOf(part: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % FINGERPRINT_LIMIT;
}

/** One fingerprint of all parts together, by theirs, in whatever order they come. */
export function sumOf(fingerprints: readonly number[]): number {
  return fingerprints.reduce((sum, fingerprint) => (sum + fingerprint) % FINGERPRINT_LIMIT, fingerprints.length);
}

/**
 * It says of which parts it is what is left: another owner may find others in the record (a subscription was made or
 * disabled meanwhile, a setting was changed), and must not take those for complete.
 *
 * Where an open part can't be told from a complete one, the open ones are named, whatever the length: what is taken
 * for open is repeated, what is taken for complete would be lost.
 */
export function remainderOf(all: number, open: readonly number[], complete: readonly number[]): Remainder {
  const ofAll = fingerprintText(all);
  if (complete.length < open.length && !overlap(open, complete)) return ofAll + textOf(complete, COMPLETE);
  return ofAll + textOf(open, OPEN);
}

/**
 * Which parts are open, by their fingerprints. Of other parts than those of which it is the remainder:
 * - What is named as complete is complete, whatever else there is: a name says all that the part is.
 * - Where the open ones are named, one part that came is told by the sum, and one that went where it was open.
 * - Otherwise all of them are open, and repeated.
 *
 * A stranger is taken for complete where its fingerprint is that of a complete part, and other parts for those of before where
 * the sums meet by chance: one in 2^30 for each of the parts.
 */
export function opens(remainder: Remainder, parts: readonly number[]): (fingerprint: number) => boolean {
  const reader = new TextReader(remainder);
  const before = reader.fingerprint();
  const head = reader.number();
  const named = new Set<number>();
  for (let left = Math.floor(head / 2); left > 0; left--) named.add(reader.fingerprint());
  if (head % 2 === COMPLETE) return (fingerprint) => !named.has(fingerprint);
  const now = sumOf(parts);
  if (now === before || named.has(onlyOne(before, now))) return (fingerprint) => named.has(fingerprint);
  const came = onlyOne(now, before);
  if (parts.filter((fingerprint) => fingerprint === came).length !== 1) return () => true;
  return (fingerprint) => fingerprint === came || named.has(fingerprint);
}

/** Reads past one. @throws RangeError if there is none */
export function readRemainder(reader: TextReader): Remainder {
  const from = reader.at;
  reader.fingerprint();
  for (let left = Math.floor(reader.number() / 2); left > 0; left--) reader.fingerprint();
  return reader.text.slice(from, reader.at);
}

/** The fingerprint of the part by which the one sum has more than the other, if it is one. */
function onlyOne(more: number, less: number): number {
  return (more - less - 1 + FINGERPRINT_LIMIT) % FINGERPRINT_LIMIT;
}

const OPEN = 0;
const COMPLETE = 1;

function textOf(fingerprints: readonly number[], kind: number): Remainder {
  const distinct = [...new Set(fingerprints)].sort((a, b) => a - b);
  return number(distinct.length * 2 + kind) + distinct.map(fingerprintText).join('');
}

function overlap(some: readonly number[], others: readonly number[]): boolean {
  const known = new Set(some);
  return others.some((other) => known.has(other));
}
