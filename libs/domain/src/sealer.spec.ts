import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { apiKeyIdOf, isHashOfKey, makeApiKey } from './api-key.js';
import { isId } from './ids.js';
import { Sealer, UnsealError } from './sealer.js';
import { SealingKeyError } from './sealing-keys.js';

const key = (name: string) => `${name}:${randomBytes(32).toString('base64')}`;
const AAD = 'ten_a/sub_a';

function reasonOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof UnsealError) return error.reason;
    throw error;
  }
  return 'opened';
}

describe('Sealer', () => {
  const [first, second] = [key('k1'), key('k2')];

  it('opens what it sealed, and what an older key sealed', () => {
    const sealed = new Sealer([first]).seal('geheim ☃', AAD);
    expect(sealed).toMatch(/^v1\.k1\.[A-Za-z0-9_-]+$/);
    expect(new Sealer([second, first]).open(sealed, AAD)).toBe('geheim ☃');
    expect(new Sealer([second, first]).seal('x', AAD)).toMatch(/^v1\.k2\./);
  });

  it('seals the same text differently each time', () => {
    const sealer = new Sealer([first]);
    expect(sealer.seal('x', AAD)).not.toBe(sealer.seal('x', AAD));
  });

  it('says why it does not open', () => {
    const sealer = new Sealer([first]);
    const sealed = sealer.seal('geheim', AAD);
    const last = sealed.endsWith('A') ? 'B' : 'A';
    expect(reasonOf(() => sealer.open(sealed, 'ten_a/sub_b'))).toBe('refused');
    expect(reasonOf(() => sealer.open(sealed.slice(0, -4) + last.repeat(4), AAD))).toBe('refused');
    expect(reasonOf(() => new Sealer([second]).open(sealed, AAD))).toBe('unknown-key');
    expect(reasonOf(() => new Sealer([key('k1')]).open(sealed, AAD))).toBe('refused');
    expect(reasonOf(() => sealer.open('v1.k1.AAAA', AAD))).toBe('malformed');
    expect(reasonOf(() => sealer.open('plain', AAD))).toBe('malformed');
  });

  it('names the key that cannot be used, and shows none of it', () => {
    expect(() => new Sealer([])).toThrow(SealingKeyError);
    expect(() => new Sealer(['k1:c2hvcnQ='])).toThrow('sealing key k1 must have 32 bytes');
    expect(() => new Sealer([first, first])).toThrow('named twice');
  });
});

describe('API keys', () => {
  it('have a public id and are known by their hash', () => {
    const made = makeApiKey();
    expect(isId('key', made.id)).toBe(true);
    expect(made.key).toMatch(/^hk_[0-9a-z]{20}_[A-Za-z0-9_-]{43}$/);
    expect(apiKeyIdOf(made.key)).toBe(made.id);
    expect(isHashOfKey(made.key, made.hash)).toBe(true);
    expect(isHashOfKey(made.key, '')).toBe(false);
    expect(isHashOfKey(`${made.key.slice(0, -1)}.`, made.hash)).toBe(false);
  });

  it.each(['', 'hk_', 'hk_abc_def', 'sk_live_1'])('%p is none', (text) => expect(apiKeyIdOf(text)).toBeUndefined());
});
