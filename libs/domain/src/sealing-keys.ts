import { createSecretKey, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;

/** The keys for sealing can't be used. The message names the key, never its bytes. */
export class SealingKeyError extends Error {
  override name = 'SealingKeyError';
}

/**
 * The keys by their names, in the order in which they are given.
 * @param keys `name:base64 of 32 bytes`
 * @throws SealingKeyError
 */
export function sealingKeys(keys: readonly string[]): Map<string, KeyObject> {
  const named = new Map<string, KeyObject>();
  for (const [index, entry] of keys.entries()) {
    const match = /^([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/_=-]+)$/.exec(entry);
    if (!match) throw new SealingKeyError(`sealing key ${index + 1} is not name:base64`);
    const [, name, encoded] = match as unknown as [string, string, string];
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== KEY_BYTES) throw new SealingKeyError(`sealing key ${name} must have ${KEY_BYTES} bytes`);
    if (named.has(name)) throw new SealingKeyError(`sealing key ${name} is named twice`);
    named.set(name, createSecretKey(bytes));
  }
  if (named.size === 0) throw new SealingKeyError('at least one sealing key is needed');
  return named;
}
