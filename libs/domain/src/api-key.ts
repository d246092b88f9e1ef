import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { newId } from './ids.js';

/** A key as it is shown once, and what is kept of it. */
export interface NewApiKey {
  /** `key_…`, public. */
  id: string;
  /** `hk_<id without its prefix>_<43 characters>`, shown once. */
  key: string;
  /** SHA-256 of the whole key, in hex. */
  hash: string;
}

const FORM = /^hk_([0-9a-z]{20})_[A-Za-z0-9_-]{43}$/;

export function makeApiKey(): NewApiKey {
  const id = newId('key');
  const key = `hk_${id.slice('key_'.length)}_${randomBytes(32).toString('base64url')}`;
  return { id, key, hash: hashApiKey(key) };
}

/** The public id of a key; undefined if the text has not the form of a key. */
export function apiKeyIdOf(key: string): string | undefined {
  const match = FORM.exec(key);
  return match ? `key_${match[1]}` : undefined;
}

export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Whether `hashed` is the hash of this key; takes as long wherever they differ. */
export function isHashOfKey(key: string, hashed: string): boolean {
  const known = Buffer.from(hashed, 'hex');
  const given = hash('sha256', key, 'buffer');
  return known.length === given.length && timingSafeEqual(known, given);
}

/** Compares two secrets of any length in a time that tells nothing of where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
