import { describe, expect, it } from '@jest/globals';
import type { StreamEvent } from '@hookline/persistence';
import { pageBody } from './page-body.js';

const event = (payload: string | Buffer | null): StreamEvent => ({
  id: 'ä"1',
  type: 'order.created',
  time: '2026-11-20T12:00:00+01:00',
  key: null,
  partition: 2,
  offset: 7,
  at: Date.UTC(2026, 10, 20),
  payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
});
const bodyOf = (...payloads: (string | Buffer | null)[]): string =>
  pageBody({ events: payloads.map(event), cursor: 'c', more: false }).toString('utf8');

describe('the body of a poll', () => {
  it('holds the data byte for byte, numbers that no double can hold included', () => {
    const data = '{"n": 1.50,\n "big":12345678901234567890123, "s":"\\u00e4 ä"}';
    const body = bodyOf(data, '[]');
    expect(body).toContain(`"data":${data}}`);
    expect(JSON.parse(body)).toEqual({
      items: [
        {
          id: 'ä"1',
          type: 'order.created',
          time: '2026-11-20T12:00:00+01:00',
          key: null,
          partition: 2,
          offset: 7,
          appendedAt: '2026-11-20T00:00:00.000Z',
          data: JSON.parse(data),
        },
        expect.objectContaining({ data: [] }),
      ],
      cursor: 'c',
      more: false,
    });
  });

  it.each([
    ['what was removed', null, null],
    ['what is no JSON', 'a, "b', 'a, "b'],
    ['two values', '1 2', '1 2'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), '"\ufffd"'],
    ['a byte order mark', '\ufeff{}', '\ufeff{}'],
  ])('stays JSON with %s', (_, payload, data) => {
    expect(JSON.parse(bodyOf(payload, '{}'))).toMatchObject({ items: [{ data }, { data: {} }] });
  });

  it('is a page without events, too', () => {
    expect(JSON.parse(bodyOf())).toEqual({ items: [], cursor: 'c', more: false });
  });
});
