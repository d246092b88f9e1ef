import { randomFillSync } from 'node:crypto';

/** What an id names, by its prefix. */
export type IdKind = 'ten' | 'sub' | 'key' | 'rpl' | 'evt' | 'aud';

/** Crockford's base 32, in lower case: no letter that is read as a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 20;

// Asking the system for 20 bytes at a time costs more than the id itself.
const pool = Buffer.alloc(LENGTH * 256);
let used = pool.length;

/** A new random id of 100 bits, e.g. `sub_4m7xq0v2k9hc8t3zr5ya`. */
export function newId(kind: IdKind): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = `${kind}_`;
  for (let end = used + LENGTH; used < end; used++) id += ALPHABET[(pool[used] as number) & 31];
  return id;
}

/** Whether the text has the form of an id of this kind. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && /^[0-9a-hjkmnp-tv-z]{20}$/.test(text.slice(kind.length + 1));
}
