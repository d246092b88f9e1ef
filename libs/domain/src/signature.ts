import { createHmac, createSecretKey, randomBytes, timingSafeEqual, type Hmac, type KeyObject } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';
/** Standard Webhooks: a secret has 24 to 64 bytes. */
const SECRET_BYTES = { min: 24, max: 64, made: 32 } as const;

/** A new signing secret, `whsec_` and the base64 of 32 random bytes. */
export function newSigningSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES.made).toString('base64');
}

/** Whether the text is a signing secret of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  if (!text.startsWith(SECRET_PREFIX)) return false;
  const encoded = text.slice(SECRET_PREFIX.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return false;
  const bytes = Buffer.from(encoded, 'base64').length;
  return bytes >= SECRET_BYTES.min && bytes <= SECRET_BYTES.max;
}

function keyOf(secret: string): KeyObject {
  if (!isSigningSecret(secret)) throw new TypeError('a signing secret is whsec_ and the base64 of 24 to 64 bytes');
  return createSecretKey(Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64'));
}

/** Signs as Standard Webhooks says. Made once for a subscription's version, for decoding its secrets costs. */
export class Signer {
  private readonly keys: readonly KeyObject[];

  /**
   * @param secrets each one signs, so that a receiver may know the old one or the new one
   * @throws TypeError if one is no signing secret
   */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map(keyOf);
  }

  /**
   * The value of `webhook-signature`: a `v1,<base64>` for each secret, with spaces between.
   * @param timestamp seconds since the epoch, as in `webhook-timestamp`
   * @param body the exact bytes that are sent
   */
  sign(id: string, timestamp: number, body: Buffer): string {
    const head = `${id}.${timestamp}.`;
    const [first, ...others] = this.keys;
    if (first === undefined) return '';
    let signature = `v1,${mac(first, head, body).digest('base64')}`;
    for (const key of others) signature += ` v1,${mac(key, head, body).digest('base64')}`;
    return signature;
  }
}

function mac(key: KeyObject, head: string, body: Buffer): Hmac {
  return createHmac('sha256', key).update(head).update(body);
}

export interface SignedMessage {
  /** Headers in lower case, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The exact bytes that were received. */
  readonly body: Buffer;
}

export type Verification = 'valid' | 'headers-missing' | 'timestamp-out-of-tolerance' | 'signature-mismatch';

/**
 * What a receiver does with a message.
 * @param nowMs the receiver's time, milliseconds since the epoch
 * @param toleranceMs how far the timestamp may be from it, either way
 */
export function verifySignature(
  message: SignedMessage,
  secret: string,
  nowMs: number,
  toleranceMs = 300_000,
): Verification {
  const id = message.headers['webhook-id'];
  const timestamp = message.headers['webhook-timestamp'];
  const signatures = message.headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return 'headers-missing';
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs - Number(timestamp) * 1_000) > toleranceMs)
    return 'timestamp-out-of-tolerance';
  const expected = mac(keyOf(secret), `${id}.${timestamp}.`, message.body).digest();
  for (const signature of signatures.split(' ')) {
    if (!signature.startsWith('v1,')) continue;
    const given = Buffer.from(signature.slice(3), 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected)) return 'valid';
  }
  return 'signature-mismatch';
}
