import { describe, expect, it } from '@jest/globals';
import {
  encodeDeadLetterHeaders,
  encodeEventHeaders,
  encodeHeldRangeHeaders,
  encodeRedriven,
  encodeSourceDeadLetter,
  TOPICS,
  type RecordHeaders,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import type { ReadRecord } from '@hookline/kafka';
import { LedgerWriter } from './ledger-writer.js';
import { Ledger, type Look } from './ledger.js';
import { Matching } from './matching.js';
import type { Verdict } from './verdict.js';

const event = { tenant: 'ten_b', id: 'evt_1', type: 'order.created', time: '2026-01-01T00:00:00Z' };
const position = { partition: 0, offset: 7, at: 1_000 };
const range = { tenant: 'ten_b', subscriptionId: 'sub_b', partition: 0, from: 0, to: 10, since: '2026-01-01' };
const origin = { source: 's', tenant: 'ten_a', topic: 'theirs', partition: 0, offset: 0, timestamp: 1, key: null };
const delivery = {
  ...{ event, source: position, subscriptionId: 'sub_b', attempts: 0, history: [] },
  deliveryId: deliveryIdOf(event, position, 'sub_b'),
};

function recordOf(topic: string, headers: RecordHeaders, value: Buffer | null = null): ReadRecord {
  return { topic, partition: 0, offset: 7, timestamp: position.at, key: null, value, headers };
}

/** What is said of the one delivery of the event, that nobody has, with this among the dead letters. */
function verdictWith(headers: RecordHeaders): Verdict | undefined {
  const record: SubscriptionRecord = {
    ...{ v: 1, version: 1, id: 'sub_b', tenant: 'ten_b', url: '', types: ['*'], status: 'enabled', sealed: '' },
    holdsFrom: { 0: 0 },
  };
  const matching = new Matching();
  matching.update([{ record, at: new Date(0) }]);
  const ledger = new Ledger([{ partition: 0, from: 7, to: 8 }], matching);
  const writer = new LedgerWriter(ledger, matching);
  writer.event(recordOf(TOPICS.events, encodeEventHeaders(event), Buffer.from('{}')));
  writer.letter(recordOf(TOPICS.deadLetters, headers));
  const no = (): boolean => false;
  const look: Look = { isOpen: no, isCaughtUp: no, isDue: no, toldSince: -Infinity };
  let verdict: Verdict | undefined;
  ledger.each(look, (_, its) => (verdict = its));
  return verdict;
}

const fromSource = (headers: RecordHeaders): RecordHeaders =>
  encodeSourceDeadLetter({ origin, detail: 'no type', headers }).headers;

const MISSING = { state: 'missing', proof: 'none' };

describe('what dead letters prove', () => {
  it("is what Hookline's own say, of a delivery or of a range", () => {
    expect(verdictWith(encodeDeadLetterHeaders({ delivery, reason: 'expired' }))).toEqual({
      state: 'dead-lettered',
      proof: 'dead-letter',
    });
    for (const reason of ['let-go', 'subscription-deleted', 'expunged'] as const)
      expect(verdictWith(encodeHeldRangeHeaders(range, reason))).toEqual({
        state: 'dead-lettered',
        proof: 'dead-letter-range',
      });
  });

  it("is nothing by the headers that a source's producer has chosen", () => {
    const forged = [encodeHeldRangeHeaders(range, 'let-go'), encodeDeadLetterHeaders({ delivery, reason: 'expired' })];
    for (const headers of forged) {
      expect(verdictWith(fromSource(headers))).toEqual(MISSING);
      expect(verdictWith({ ...headers, ...encodeRedriven(origin).headers })).toEqual(MISSING);
    }
    expect(verdictWith(fromSource({ 'held-range': 'null' }))).toEqual(MISSING);
    // As a worker keeps a record that it can't read: its headers, and why.
    expect(verdictWith({ ...forged[0], reason: 'unreadable', detail: 'no type', origin: 'a:0:1' })).toEqual(MISSING);
  });

  it('is nothing where a range has not the shape of one, and no fault', () => {
    for (const text of ['null', '{', '[]', '"a"', '1', JSON.stringify({ ...range, to: '10' }), '{"partition":0}'])
      expect(verdictWith({ reason: 'let-go', 'held-range': text })).toEqual(MISSING);
  });
});
