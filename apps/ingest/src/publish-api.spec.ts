import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { httpSection, loadConfig, loggingSection, publishSection } from '@hookline/config';
import { decodeEventHeaders, type CredentialRecord, type EventEnvelope, type Problem } from '@hookline/contracts';
import { makeApiKey } from '@hookline/domain';
import { NotDurable, type Appended, type OutgoingRecord, type Output } from '@hookline/kafka';
import { silentLogger, startRole, systemClock, type RunningRole } from '@hookline/platform';
import { publishApi } from './publish-api.js';

/** Appends to a list; refuses what it is told to. */
class ListOutput implements Output {
  readonly records: OutgoingRecord[] = [];
  refuse: (record: OutgoingRecord) => NotDurable | undefined = () => undefined;

  async produce(record: OutgoingRecord): Promise<Appended> {
    const refusal = this.refuse(record);
    if (refusal) throw refusal;
    return { partition: 0, offset: this.records.push(record) - 1 };
  }
}

const envelopeOf = (record?: OutgoingRecord): EventEnvelope => decodeEventHeaders(record?.headers ?? {});

const KIB = 1_024;
const { publish: limits } = loadConfig({ publish: publishSection }, {});
const config = loadConfig(
  { http: httpSection, logging: loggingSection },
  { HOOKLINE_HTTP_HOST: '127.0.0.1', HOOKLINE_HTTP_PORT: '0' },
);

const active = makeApiKey();
const revoked = makeApiKey();
const credential = (
  { id, hash }: { id: string; hash: string },
  status: CredentialRecord['status'],
): CredentialRecord => ({
  v: 1,
  version: 1,
  id,
  hash,
  tenant: 'ten_a',
  status,
});
const known = new Map([
  [active.id, credential(active, 'active')],
  [revoked.id, credential(revoked, 'revoked')],
]);
const credentials = { isComplete: true, get: (id: string) => known.get(id) };

describe('publishing', () => {
  let output: ListOutput;
  let role: RunningRole;

  beforeAll(async () => {
    const produce: Output = { produce: (record) => output.produce(record) };
    const build = () => publishApi(limits, systemClock, produce, credentials);
    role = await startRole({ name: 'ingest', sections: {}, parsesBodies: false, build }, config, silentLogger);
  });

  afterAll(() => role.stop());

  beforeEach(() => {
    output = new ListOutput();
    credentials.isComplete = true;
  });

  interface Answer {
    status: number;
    headers: Headers;
    body: Problem & Record<string, unknown>;
  }

  async function post(path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(role.url + path, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${active.key}`, 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
  }

  const one = (event: unknown): Promise<Answer> => post('/v1/events', JSON.stringify(event));
  const batch = (events: unknown): Promise<Answer> => post('/v1/events/batch', JSON.stringify({ events }));
  const event = (changes: object = {}): object => ({ type: 'order.created', data: { total: 7 }, ...changes });

  it('puts the very bytes of the data into the log', async () => {
    const data = '{ "total": 1.50, "note" : "caf\\u00e9 \\"}" ,\n "list":[ ] , "big": 12345678901234567890 }';
    const body = ` { "data" : ${data} , "type":"order.created","id":"o-1", "key":"customer-7" } `;
    const { status, body: answer } = await post('/v1/events', body);
    expect({ status, answer }).toEqual({ status: 202, answer: { id: 'o-1', partition: 0, offset: 0 } });
    expect(output.records[0]?.value?.toString()).toBe(data);
    expect(output.records[0]?.key).toBe('ten_a\0k\0customer-7');
    expect(envelopeOf(output.records[0])).toMatchObject({
      tenant: 'ten_a',
      id: 'o-1',
      type: 'order.created',
      key: 'customer-7',
    });
  });

  it('chooses the partition by key, else by the id that was given, else leaves it to the flush', async () => {
    await one(event({ id: 'a', key: 'k' }));
    await one(event({ id: 'a' }));
    const { body } = await one(event());
    expect(output.records.map(({ key }) => key)).toEqual(['ten_a\0k\0k', 'ten_a\0i\0a', null]);
    expect(body['id']).toMatch(/^evt_/);
  });

  it.each([null, false, 0, '', [], {}, 'text', [1, { a: null }]])('takes %j as data', async (data) => {
    expect((await one({ type: 'a', data })).status).toBe(202);
    expect(output.records[0]?.value?.toString()).toBe(JSON.stringify(data));
  });

  it('keeps the time that was given, and has one where none was', async () => {
    await one(event({ time: '2026-11-22T08:30:00.5+01:00' }));
    await one(event());
    expect(envelopeOf(output.records[0]).time).toBe('2026-11-22T08:30:00.5+01:00');
    expect(Date.parse(envelopeOf(output.records[1]).time)).not.toBeNaN();
  });

  it('takes a batch in its order', async () => {
    const { status, body } = await batch([event({ id: 'a' }), event(), event({ id: 'c', data: [1] })]);
    expect(status).toBe(202);
    expect(body['events']).toMatchObject([
      { id: 'a', partition: 0, offset: 0 },
      { partition: 0, offset: 1 },
      { id: 'c', partition: 0, offset: 2 },
    ]);
    expect(output.records.map(({ value }) => value?.toString())).toEqual(['{"total":7}', '{"total":7}', '[1]']);
  });

  it('takes as much as the limits say', async () => {
    const data = 'x'.repeat(256 * KIB - 2);
    expect((await one(event({ data }))).status).toBe(202);
    expect((await batch(Array.from({ length: 1_000 }, () => event()))).status).toBe(202);
    const frame = JSON.stringify({ events: [event()] });
    expect((await post('/v1/events/batch', frame.padEnd(5 * KIB * KIB))).status).toBe(202);
  });

  describe('refuses, names the field and the limit, and writes nothing', () => {
    type Case = [what: string, request: () => Promise<Answer>, status: number, errors?: object[]];
    const long = (length: number): string => 'x'.repeat(length);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

    const cases: Case[] = [
      ['no body', () => post('/v1/events', ''), 400],
      ['malformed JSON', () => post('/v1/events', '{"type":'), 400],
      ['text behind the JSON', () => post('/v1/events', '{"type":"a","data":1} x'), 400],
      ['bytes that are not UTF-8', () => post('/v1/events', Buffer.from('{"type":"a","data":"\xff"}', 'latin1')), 400],
      ['a byte order mark', () => post('/v1/events', '\ufeff{"type":"a","data":1}'), 400],
      ['a list', () => one([event()]), 400, [{ field: 'body', message: 'must be an object' }]],
      ['null', () => one(null), 400, [{ field: 'body', message: 'must be an object' }]],
      ['a deep list', () => post('/v1/events', deep), 400, [{ field: 'body', message: 'must be an object' }]],
      ['nothing in it', () => one({}), 400, [{ field: 'type' }, { field: 'data', message: 'is required' }]],
      [
        'an unknown field',
        () => one(event({ colour: 1 })),
        400,
        [{ field: 'colour', message: 'is not a field of an event' }],
      ],
      ['__proto__', () => post('/v1/events', '{"type":"a","data":1,"__proto__":{}}'), 400, [{ field: '__proto__' }]],
      ['a repeated field', () => post('/v1/events', '{"type":"a","data":1,"d\\u0061ta":2}'), 400, [{ field: 'data' }]],
      ['an id that is a number', () => one(event({ id: 7 })), 400, [{ field: 'id' }]],
      ['an empty id', () => one(event({ id: '' })), 400, [{ field: 'id' }]],
      ['an id that is null', () => one(event({ id: null })), 400, [{ field: 'id' }]],
      ['an id that is too long', () => one(event({ id: long(129) })), 400, [{ field: 'id', limit: 128 }]],
      ['an id with a control character', () => one(event({ id: 'a\u0000' })), 400, [{ field: 'id' }]],
      ['an id with half a character', () => one(event({ id: 'a\ud800' })), 400, [{ field: 'id' }]],
      ['a key that is too long', () => one(event({ key: long(257) })), 400, [{ field: 'key', limit: 256 }]],
      ['a key that is a list', () => one(event({ key: ['a'] })), 400, [{ field: 'key' }]],
      ['a type that is too long', () => one(event({ type: long(129) })), 400, [{ field: 'type', limit: 128 }]],
      ['a type with a star', () => one(event({ type: 'order.*' })), 400, [{ field: 'type' }]],
      ['a type with a space', () => one(event({ type: 'an order' })), 400, [{ field: 'type' }]],
      ['a type that is an object', () => one(event({ type: {} })), 400, [{ field: 'type' }]],
      ['a time that is none', () => one(event({ time: 'now' })), 400, [{ field: 'time' }]],
      ['a time that is a number', () => one(event({ time: 1_700_000_000 })), 400, [{ field: 'time' }]],
      [
        'several errors at once',
        () => one({ type: 7, time: 7 }),
        400,
        [{ field: 'type' }, { field: 'time' }, { field: 'data' }],
      ],
      [
        'data that is too large',
        () => one(event({ data: long(256 * KIB - 1) })),
        413,
        [{ field: 'data', limit: 262_144 }],
      ],
      [
        'a body that is too large',
        () => one(event({ data: long(512 * KIB) })),
        413,
        [{ field: 'body', limit: 278_528 }],
      ],
      [
        'a batch of 5 MiB and a byte',
        () => post('/v1/events/batch', JSON.stringify({ events: [event()] }).padEnd(5 * KIB * KIB + 1)),
        413,
        [{ field: 'body', limit: 5_242_880 }],
      ],
      [
        '1,001 events',
        () => batch(Array.from({ length: 1_001 }, () => event())),
        400,
        [{ field: 'events', limit: 1_000 }],
      ],
      ['an empty batch', () => batch([]), 400, [{ field: 'events', message: 'must not be empty' }]],
      ['a batch that is no list', () => batch({}), 400, [{ field: 'events' }]],
      ['a batch without events', () => post('/v1/events/batch', '{}'), 400, [{ field: 'events' }]],
      ['a batch that is a bare list', () => post('/v1/events/batch', '[]'), 400, [{ field: 'body' }]],
      [
        'an unknown field beside the events',
        () => post('/v1/events/batch', '{"events":[1],"x":1}'),
        400,
        [{ field: 'x' }],
      ],
      [
        'two lists of events',
        () => post('/v1/events/batch', '{"events":[1],"events":[1]}'),
        400,
        [{ field: 'events' }],
      ],
      [
        'a bad event in a batch',
        () => batch([event(), event(), event(), event({ type: '' }), event({ data: undefined }), 7]),
        400,
        [
          { field: 'events[3].type' },
          { field: 'events[4].data' },
          { field: 'events[5]', message: 'must be an object' },
        ],
      ],
      [
        'too much data in a batch',
        () => batch([event(), event({ data: long(256 * KIB) })]),
        413,
        [{ field: 'events[1].data', limit: 262_144 }],
      ],
      ['another content type', () => post('/v1/events', 'a=b', { 'content-type': 'text/plain' }), 415],
      ['no content type', () => post('/v1/events', new Uint8Array([123, 125]), { 'content-type': '' }), 415],
      ['no key', () => post('/v1/events', JSON.stringify(event()), { authorization: '' }), 401],
      ['another scheme', () => post('/v1/events', '{}', { authorization: 'Basic aGs6aGs=' }), 401],
      ['a key that is none', () => post('/v1/events', '{}', { authorization: 'Bearer hk_1' }), 401],
      ['an unknown key', () => post('/v1/events', '{}', { authorization: `Bearer ${makeApiKey().key}` }), 401],
      ['a revoked key', () => post('/v1/events', '{}', { authorization: `Bearer ${revoked.key}` }), 401],
      [
        'a known key with another secret',
        () => post('/v1/events', '{}', { authorization: `Bearer ${active.key.slice(0, -3)}AAA` }),
        401,
      ],
    ];

    it.each(cases.map(([what, ...rest]) => ({ what, rest })))('$what', async ({ rest: [request, status, errors] }) => {
      const { status: got, headers, body } = await request();
      expect({ got, body }).toMatchObject({ got: status, body: { status, ...(errors ? { errors } : {}) } });
      expect(body.errors ?? []).toHaveLength(errors?.length ?? 0);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body.type).toMatch(/^https:\/\/hookline\.dev\/problems\/./);
      expect(output.records).toEqual([]);
    });

    it('a body whose length nobody told', async () => {
      const chunk = new Uint8Array(KIB * KIB).fill(32);
      let chunks = 0;
      const body = new ReadableStream({
        pull: (stream) => (++chunks > 7 ? stream.close() : stream.enqueue(chunk)),
      });
      const headers = { authorization: `Bearer ${active.key}`, 'content-type': 'application/json' };
      const response = await fetch(`${role.url}/v1/events/batch`, { method: 'POST', body, headers, duplex: 'half' });
      expect(response.status).toBe(413);
      expect(output.records).toEqual([]);
    });

    it('lists the first twenty errors of a batch', async () => {
      const { body } = await batch(Array.from({ length: 50 }, () => event({ type: '' })));
      expect(body.errors).toHaveLength(20);
      expect(body['omittedErrors']).toBe(30);
    });
  });

  it('answers 503, not 401, while it does not know the keys', async () => {
    credentials.isComplete = false;
    const { status, headers, body } = await one(event());
    expect({ status, type: body.type }).toEqual({ status: 503, type: 'https://hookline.dev/problems/not-ready' });
    expect(headers.get('retry-after')).toBe('1');
  });

  it('answers 503 where an event is not known to be durable', async () => {
    output.refuse = () => new NotDurable('deadline', 'not acknowledged in time');
    const { status, headers, body } = await one(event({ id: 'o-1' }));
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { type: 'https://hookline.dev/problems/not-durable', id: 'o-1', reason: 'deadline' },
    });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('says which events of a batch are durable', async () => {
    output.refuse = (record) => (envelopeOf(record).id === 'b' ? new NotDurable('overloaded', 'full') : undefined);
    const { status, body } = await batch([event({ id: 'a' }), event({ id: 'b' }), event({ id: 'c' })]);
    expect(status).toBe(503);
    expect(body['events']).toEqual([
      { durable: true, id: 'a', partition: 0, offset: 0 },
      { durable: false, id: 'b' },
      { durable: true, id: 'c', partition: 0, offset: 1 },
    ]);
  });
});
