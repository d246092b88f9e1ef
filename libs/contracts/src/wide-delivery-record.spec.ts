import { describe, expect, it } from '@jest/globals';
import { UnreadableRecord } from './log-position.js';
import { decodeWideHeaders, encodeWideHeaders, isWide, type WideDelivery } from './wide-delivery-record.js';

const wide: WideDelivery = {
  event: { tenant: 'ten_a', id: 'e1', type: 'order.created', time: '2026-01-01T00:00:00Z' },
  source: { partition: 3, offset: 2 ** 40, at: 1_700_000_000_000 },
  windowStart: 1_700_000_000_001,
  subscriptionIds: ['sub_4m7xq0v2k9hc8t3zr5ya', 'sub_b'],
};

describe('a wide delivery', () => {
  it('is read as it was written', () => {
    const headers = encodeWideHeaders(wide);
    expect(isWide(headers)).toBe(true);
    expect(decodeWideHeaders(headers)).toEqual(wide);
  });

  it.each([
    '',
    '{',
    'null',
    '{}',
    '[]',
    '[1]',
    '["sub_a",null]',
    '["ten_a"]',
    '["sub_"]',
    '["sub_a\\n"]',
    '[["sub_a"]]',
  ])('is unreadable where its list is %j', (list) => {
    expect(() => decodeWideHeaders({ ...encodeWideHeaders(wide), 'fan-out': list })).toThrow(UnreadableRecord);
  });

  it('is unreadable where its list is longer than any that is written', () => {
    const list = JSON.stringify(Array.from({ length: 1_001 }, (_, n) => `sub_${n}`));
    expect(() => decodeWideHeaders({ ...encodeWideHeaders(wide), 'fan-out': list })).toThrow(UnreadableRecord);
  });

  it('names each once', () => {
    const headers = { ...encodeWideHeaders(wide), 'fan-out': '["sub_a","sub_b","sub_a"]' };
    expect(decodeWideHeaders(headers).subscriptionIds).toEqual(['sub_a', 'sub_b']);
  });

  it.each(['event', 'source', 'window'])('is unreadable without its %s', (name) => {
    const headers = encodeWideHeaders(wide);
    delete headers[name];
    expect(() => decodeWideHeaders(headers)).toThrow(UnreadableRecord);
  });
});
