import type { OffsetRun } from './offset-run.js';

/** What Kafka takes by default (`offset.metadata.max.bytes`, which counts characters). */
export const MAX_METADATA_CHARACTERS = 4_096;

/** U+3400 to U+B3FF: no surrogates, no controls, three bytes each. */
const FIRST_CHARACTER = 0x3400;
const BITS_PER_CHARACTER = 15;
/** A number is written in groups of 14 bits, the lowest first; the fifteenth says that more follow. */
const GROUP = 1 << 14;

export interface Packed {
  text: string;
  whole: boolean;
  /** The offset up to which the text tells what is complete. */
  reached: number;
}

const character = (value: number): string => String.fromCharCode(FIRST_CHARACTER + value);

function valueAt(text: string, index: number): number | undefined {
  const value = text.charCodeAt(index) - FIRST_CHARACTER;
  return value >= 0 && value < 1 << BITS_PER_CHARACTER ? value : undefined;
}

/** A whole number ≥ 0. */
export function number(value: number): string {
  let text = '';
  let rest = value;
  while (rest >= GROUP) {
    text += character(GROUP + (rest % GROUP));
    rest = Math.floor(rest / GROUP);
  }
  return text + character(rest);
}

/** Below this, two characters hold it. */
export const FINGERPRINT_LIMIT = 1 << (2 * BITS_PER_CHARACTER);

export function fingerprintText(fingerprint: number): string {
  return character(fingerprint >>> BITS_PER_CHARACTER) + character(fingerprint & ((1 << BITS_PER_CHARACTER) - 1));
}

/** Reads a text from its start. @throws RangeError where there is not what was asked for */
export class TextReader {
  at = 0;

  constructor(readonly text: string) {}

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= GROUP) {
      const group = this.character();
      value += (group % GROUP) * scale;
      if (!Number.isSafeInteger(value)) throw new RangeError('a number that is too large');
      if (group < GROUP) return value;
    }
  }

  fingerprint(): number {
    return this.character() * (1 << BITS_PER_CHARACTER) + this.character();
  }

  take(characters: number): string {
    const taken = this.text.slice(this.at, this.at + characters);
    if (taken.length < characters) throw new RangeError('a text that is too short');
    this.at += characters;
    return taken;
  }

  private character(): number {
    const value = valueAt(this.text, this.at);
    if (value === undefined) throw new RangeError('no character of this alphabet');
    this.at++;
    return value;
  }
}

/** One character that tells whether a text is what was written, and for this watermark. */
export function checksum(watermark: number, kind: string, body: string): string {
  // FNV-1a: an accident is what it is against, not an attacker.
  let hash = 0x811c9dc5;
  for (const part of [String(watermark), kind, body]) {
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  }
  return character((hash ^ (hash >>> 15)) & 0x7fff);
}

/** Open, complete, open, complete, …: the length of each run, from the watermark. */
export function toLengths(watermark: number, runs: readonly OffsetRun[], room: number): Packed {
  let text = '';
  let at = watermark;
  for (const run of runs) {
    const pair = number(run.from - at) + number(run.to - run.from);
    if (text.length + pair.length > room) return { text, whole: false, reached: at };
    text += pair;
    at = run.to;
  }
  return { text, whole: true, reached: at };
}

export function fromLengths(watermark: number, text: string): OffsetRun[] | undefined {
  const runs: OffsetRun[] = [];
  let at = watermark;
  let open = true;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < text.length; i++) {
    const group = valueAt(text, i);
    if (group === undefined) return undefined;
    value += (group % GROUP) * scale;
    scale *= GROUP;
    if (group >= GROUP) continue;
    const to = at + value;
    if (value === 0 || !Number.isSafeInteger(to)) return undefined;
    if (!open) runs.push({ from: at, to });
    at = to;
    open = !open;
    value = 0;
    scale = 1;
  }
  return open && scale === 1 ? runs : undefined;
}

/** A bit for each offset from the watermark, 15 to a character. */
export function toBits(watermark: number, runs: readonly OffsetRun[], room: number): Packed {
  const last = runs.at(-1) as OffsetRun;
  const limit = watermark + room * BITS_PER_CHARACTER;
  const whole = last.to <= limit;
  const end = Math.min(last.to, limit);
  const values = new Uint16Array(Math.ceil((end - watermark) / BITS_PER_CHARACTER));
  for (const run of runs) {
    for (let offset = run.from; offset < run.to && offset < end; offset++) {
      const bit = offset - watermark;
      const index = Math.floor(bit / BITS_PER_CHARACTER);
      values[index] = (values[index] as number) | (1 << (bit % BITS_PER_CHARACTER));
    }
  }
  return { text: Array.from(values, character).join(''), whole, reached: end };
}

export function fromBits(watermark: number, text: string): OffsetRun[] | undefined {
  const runs: OffsetRun[] = [];
  let from: number | undefined;
  const end = text.length * BITS_PER_CHARACTER;
  for (let bit = 0; bit <= end; bit++) {
    const value = bit === end ? 0 : valueAt(text, Math.floor(bit / BITS_PER_CHARACTER));
    if (value === undefined) return undefined;
    const complete = (value & (1 << (bit % BITS_PER_CHARACTER))) !== 0;
    if (complete) from ??= bit;
    else if (from !== undefined) {
      runs.push({ from: watermark + from, to: watermark + bit });
      from = undefined;
    }
  }
  return runs;
}
