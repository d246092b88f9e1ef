import { describe, expect, it } from '@jest/globals';
import { encodeHeldRangeHeaders, encodeSourceDeadLetter, TOPICS, type RecordHeaders } from '@hookline/contracts';
import { recordIn } from './record-in.js';

const range = { tenant: 'ten_b', subscriptionId: 'sub_b', partition: 0, from: 0, to: 10, since: '2026-01-01' };
const origin = { source: 's', tenant: 'ten_a', topic: 'theirs', partition: 0, offset: 0, timestamp: 1, key: null };
const place = { topic: TOPICS.deadLetters, partition: 1, offset: 2, timestamp: 3, key: null, value: null };
const said = (headers: RecordHeaders): unknown => recordIn({ ...place, headers });

describe('a record of the dead letters', () => {
  it('of a source is that, whatever headers its producer has chosen', () => {
    for (const own of [encodeHeldRangeHeaders(range, 'let-go'), { 'held-range': 'null' }])
      expect(said(encodeSourceDeadLetter({ origin, detail: 'no type', headers: own }).headers)).toMatchObject({
        letter: { kind: 'source', tenantId: 'ten_a', subscriptionId: null, said: { detail: 'no type' } },
      });
  });

  it('of a worker that could not read it is no range, whatever headers it has', () => {
    const forged = { ...encodeHeldRangeHeaders(range, 'let-go'), reason: 'unreadable', detail: 'a', origin: 'b:0:1' };
    expect(said(forged)).toMatchObject({ letter: { kind: 'record', tenantId: null, said: { origin: 'b:0:1' } } });
  });

  it('says nothing where a range has not the shape of one, and is no fault', () => {
    for (const text of ['null', '{', '[]', '"a"', JSON.stringify({ ...range, from: -1 })])
      expect(said({ reason: 'let-go', 'held-range': text })).toBeUndefined();
  });

  it('has no text that PostgreSQL refuses', () => {
    const detail = 'a \0 b \ud800 c \u{1f600}';
    const whose = { ...origin, source: 'a\0b', tenant: 'ten_\0a' };
    expect(said(encodeSourceDeadLetter({ origin: whose, detail, headers: {} }).headers)).toMatchObject({
      letter: { source: 'ab', tenantId: 'ten_a', said: { detail: 'a  b \ufffd c \u{1f600}' } },
    });
    const unreadable = { reason: 'unrea\0dable', detail, origin: 'a\0:0:1' };
    expect(said(unreadable)).toMatchObject({
      letter: { reason: 'unreadable', said: { origin: 'a:0:1', detail: 'a  b \ufffd c \u{1f600}' } },
    });
  });
});
