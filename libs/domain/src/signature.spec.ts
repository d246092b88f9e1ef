import { describe, expect, it } from '@jest/globals';
import { isSigningSecret, newSigningSecret, Signer, verifySignature } from './signature.js';

// The example that Standard Webhooks and its libraries publish.
const PUBLISHED = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  body: Buffer.from('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

function message(signature: string, body = PUBLISHED.body) {
  return {
    headers: {
      'webhook-id': PUBLISHED.id,
      'webhook-timestamp': String(PUBLISHED.timestamp),
      'webhook-signature': signature,
    },
    body,
  };
}

const NOW = PUBLISHED.timestamp * 1_000;

describe('Signer', () => {
  it('signs the published example as published', () => {
    const signer = new Signer([PUBLISHED.secret]);
    expect(signer.sign(PUBLISHED.id, PUBLISHED.timestamp, PUBLISHED.body)).toBe(PUBLISHED.signature);
  });

  it('signs with each secret, so that a receiver may know either', () => {
    const newer = newSigningSecret();
    const signed = message(
      new Signer([newer, PUBLISHED.secret]).sign(PUBLISHED.id, PUBLISHED.timestamp, PUBLISHED.body),
    );
    expect(verifySignature(signed, newer, NOW)).toBe('valid');
    expect(verifySignature(signed, PUBLISHED.secret, NOW)).toBe('valid');
    expect(verifySignature(signed, newSigningSecret(), NOW)).toBe('signature-mismatch');
  });

  it('refuses what is no secret', () => {
    expect(() => new Signer(['hunter2'])).toThrow(TypeError);
    expect(isSigningSecret('whsec_c2hvcnQ=')).toBe(false);
    expect(isSigningSecret(newSigningSecret())).toBe(true);
  });
});

describe('verifySignature', () => {
  it('refuses other bytes, other times and missing headers', () => {
    const { secret, signature } = PUBLISHED;
    expect(verifySignature(message(signature, Buffer.from('{"test":2432232314}')), secret, NOW)).toBe(
      'signature-mismatch',
    );
    expect(verifySignature(message(signature), secret, NOW + 301_000)).toBe('timestamp-out-of-tolerance');
    expect(verifySignature({ headers: {}, body: PUBLISHED.body }, secret, NOW)).toBe('headers-missing');
    expect(verifySignature(message('v1a,xyz v1,short'), secret, NOW)).toBe('signature-mismatch');
  });
});
