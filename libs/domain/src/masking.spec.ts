import { describe, expect, it } from '@jest/globals';
import { MASK, maskedValue, withoutCredentials } from './masking.js';

describe('masking', () => {
  it.each(['set-cookie', 'authorization', 'x-api-key', 'x-apikey', 'x-auth', 'x-csrf-token', 'session-id'])(
    'shows nothing of %s',
    (name) => expect(maskedValue(name, 'abc')).toBe(MASK),
  );

  it.each(['content-type', 'retry-after', 'x-request-id', 'www-authenticate'])('leaves %s as it is', (name) =>
    expect(maskedValue(name, 'abc')).toBe('abc'),
  );

  it('leaves the user and password of a URL out, wherever it stands', () => {
    expect(withoutCredentials('https://me:word@example.com/a?b=c@d')).toBe(`https://${MASK}@example.com/a?b=c@d`);
    expect(maskedValue('link', '<//a@x/>; <http://b:c@y/>')).toBe(`<//${MASK}@x/>; <http://${MASK}@y/>`);
    expect(withoutCredentials('https://example.com/@me')).toBe('https://example.com/@me');
  });
});
