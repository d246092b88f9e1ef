import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { sealingKeys } from './sealing-keys.js';

const TAG_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Tells what we gave out from what somebody made up or changed: a tag is HMAC-SHA256, cut to 16 bytes, under a key that
 * is derived (HKDF, RFC 5869) from a sealing key. No randomness is spent on it, unlike on sealing, so that any number may be made.
 */
export class Tagger {
  static readonly bytes = TAG_BYTES;
  private readonly keys: readonly Buffer[];

  /**
   * @param keys as those of the sealer: the first one tags, all of them check
   * @param purpose what is tagged; another purpose has other keys
   * @throws SealingKeyError
   */
  constructor(keys: readonly string[], purpose: string) {
    this.keys = [...sealingKeys(keys).values()].map((key) =>
      Buffer.from(hkdfSync('sha256', key, '', `hookline ${purpose}`, KEY_BYTES)),
    );
  }

  tag(bytes: Buffer): Buffer {
    return tagUnder(this.keys[0] as Buffer, bytes);
  }

  isTagOf(tag: Buffer, bytes: Buffer): boolean {
    return tag.length === TAG_BYTES && this.keys.some((key) => timingSafeEqual(tag, tagUnder(key, bytes)));
  }
}

function tagUnder(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, TAG_BYTES);
}
