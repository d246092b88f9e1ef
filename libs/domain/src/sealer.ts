import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import { sealingKeys } from './sealing-keys.js';

const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed text can't be opened. */
export class UnsealError extends Error {
  override name = 'UnsealError';
  constructor(
    readonly reason: 'malformed' | 'unknown-key' | 'refused',
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * Seals secrets for PostgreSQL and the topics: AES-256-GCM, written as
 * `v1.<key's name>.<base64url of iv (12 bytes), tag (16) and ciphertext>`.
 */
export class Sealer {
  private readonly keys: ReadonlyMap<string, KeyObject>;
  private readonly current: string;

  /**
   * @param keys `name:base64 of 32 bytes`; the first one seals, all of them open
   * @throws SealingKeyError
   */
  constructor(keys: readonly string[]) {
    this.keys = sealingKeys(keys);
    this.current = this.keys.keys().next().value as string;
  }

  /** @param aad what the secret belongs to, `tenant/subscriptionId`: it opens nowhere else */
  seal(plain: string, aad: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys.get(this.current) as KeyObject, iv);
    cipher.setAAD(Buffer.from(aad));
    const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `${VERSION}.${this.current}.${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** @throws UnsealError `unknown-key` if no key has that name, `refused` if key, belonging or bytes are wrong */
  open(sealed: string, aad: string): string {
    const match = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/.exec(sealed);
    if (!match) throw new UnsealError('malformed', 'not a sealed text of a known version');
    const [, name, encoded] = match as unknown as [string, string, string];
    const key = this.keys.get(name);
    if (key === undefined) throw new UnsealError('unknown-key', `no sealing key is named ${name}`);
    const bytes = Buffer.from(encoded, 'base64url');
    if (bytes.length < IV_BYTES + TAG_BYTES) throw new UnsealError('malformed', 'a sealed text that is too short');
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(aad));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new UnsealError('refused', `sealing key ${name} does not open this for its owner`);
    }
  }
}
