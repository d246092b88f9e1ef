import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeRedriven,
  decodeSourceDeadLetter,
  encodeRedriven,
  encodeSourceDeadLetter,
} from './source-dead-letter.js';

const origin = { source: 's', tenant: 't', topic: 'a.b', partition: 1, offset: 2, timestamp: 3, key: 'a2V5' };

describe("a source's dead letter", () => {
  it('gives back the headers of the record, whatever their names', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('reason', 'detail', 'origin', 'source-record', 'source-redriven', 'source-header.reason'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.string(), { noNullPrototype: true }), fc.string(), (headers, detail) => {
        const { headers: encoded } = encodeSourceDeadLetter({ origin, detail, headers });
        expect(decodeSourceDeadLetter(encoded)).toEqual({ origin, detail, headers });
        expect(encoded).toMatchObject({ reason: 'unreadable', origin: 'a.b:1:2' });
      }),
    );
  });

  it('is told apart from the note that it was redriven, and from other dead letters', () => {
    const { headers } = encodeRedriven(origin);
    expect(decodeRedriven(headers)).toEqual(origin);
    expect(decodeSourceDeadLetter(headers)).toBeUndefined();
    expect(decodeRedriven({ reason: 'expired' })).toBeUndefined();
    expect(() => decodeRedriven({ 'source-redriven': '{' })).toThrow('unknown version');
  });
});
