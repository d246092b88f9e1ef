import { describe, expect, it } from '@jest/globals';
import { decodeEventHeaders, encodeEventHeaders } from './event-record.js';
import { UnreadableRecord } from './log-position.js';

const event = { tenant: 'ten_a', id: 'e "1" ü', type: 'order.created', time: '2026-01-01T00:00:00Z' };
const decode = (text: string) => () => decodeEventHeaders({ event: Buffer.from(text) });

describe("the event's envelope", () => {
  it.each([event, { ...event, key: 'customer\u00001' }])('is read as it was written', (envelope) => {
    const header = Buffer.from(encodeEventHeaders(envelope)['event'] as string);
    expect(decodeEventHeaders({ event: header })).toEqual(envelope);
  });

  it.each(['', '[]', '7', 'null', '{"v":2}', '{"v":1,"tenant":"a","id":"b","type":"c"}', '\u00ff{'])(
    'is unreadable where it is %j',
    (text) => {
      expect(decode(text)).toThrow(UnreadableRecord);
    },
  );

  it('is unreadable with a key that is no text', () => {
    expect(decode(JSON.stringify({ v: 1, ...event, key: 1 }))).toThrow(UnreadableRecord);
  });
});
