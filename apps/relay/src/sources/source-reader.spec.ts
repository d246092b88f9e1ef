import { describe, expect, it } from '@jest/globals';
import { decodeEventHeaders, eventKafkaKey } from '@hookline/contracts';
import fc from 'fast-check';
import type { SourceDefinition } from './definition.js';
import { SourceReader } from './source-reader.js';
import { recordOf } from './testing/records.js';

const rules = { maxIdLength: 128, maxTypeLength: 128, maxKeyLength: 256, maxEventBytes: 1_000 };
const readerOf = (format: SourceDefinition['format']) =>
  new SourceReader({ name: 'orders', tenant: 'ten_1', format }, rules);
const read = (format: SourceDefinition['format'], parts: Parameters<typeof recordOf>[0]) => {
  const { key, value, headers } = readerOf(format).read(recordOf(parts));
  return { key, data: value?.toString(), event: decodeEventHeaders(headers ?? {}) };
};

const structuredType = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
const binaryHeaders = { ce_specversion: '1.0', ce_id: 'a-1', ce_source: '/shop', ce_type: 'order.created' };
const structured = (changes: Record<string, unknown> = {}) =>
  JSON.stringify({ specversion: '1.0', id: 'a-1', source: '/shop', type: 'order.created', data: { n: 1 }, ...changes });

describe('a source of CloudEvents', () => {
  it('takes structured mode, and keeps the bytes of the data as they came', () => {
    const value = `{ "id" : "a-1", "data" : { "n" : 1.50,  "ü": "\\u00fc" } , "source":"/shop","specversion":"1.0",
      "type":"order.created", "time":"2026-11-22T08:30:00.5+01:00", "partitionkey":"k-9", "traceparent":"00-ab", "sampled": true }`;
    const { key, data, event } = read('cloudevents', { value, key: 'other', headers: structuredType });
    expect(data).toBe('{ "n" : 1.50,  "ü": "\\u00fc" }');
    expect(event).toMatchObject({
      tenant: 'ten_1',
      type: 'order.created',
      time: '2026-11-22T08:30:00.5+01:00',
      key: 'k-9',
    });
    expect(event.id).toMatch(/^a-1\.[\w-]{22}$/);
    expect(key).toBe(eventKafkaKey('ten_1', 'k-9', event.id));
  });

  it('takes binary mode with its extensions, and the record key as the key', () => {
    const value = ' {"n" : 1.50} ';
    const headers = { ...binaryHeaders, 'content-type': 'application/json', ce_traceparent: '00-ab', other: 'x' };
    const { data, event } = read('cloudevents', { value, key: 'k-1', headers });
    expect(data).toBe('{"n" : 1.50}');
    expect(event).toMatchObject({ type: 'order.created', key: 'k-1', time: '2026-11-22T00:00:00.000Z' });
    const inStructured = read('cloudevents', { value: structured(), headers: structuredType });
    expect(event.id).toBe(inStructured.event.id);
  });

  it('delivers the whole event with its extensions where it is asked to, in both modes', () => {
    const format = { cloudevents: { deliver: 'event' as const } };
    const value = structured({ traceparent: '00-ab' });
    expect(read(format, { value: ` ${value} `, headers: structuredType }).data).toBe(value);
    const headers = { ...binaryHeaders, 'content-type': 'application/json', ce_traceparent: '00-ab' };
    const { data } = read(format, { value: '{"n" : 1.50}', headers });
    expect(data).toContain('"data":{"n" : 1.50}}');
    expect(JSON.parse(data as string)).toEqual({
      specversion: '1.0',
      id: 'a-1',
      source: '/shop',
      type: 'order.created',
      traceparent: '00-ab',
      datacontenttype: 'application/json',
      data: { n: 1.5 },
    });
    const withoutData = read(format, { value: null, headers: binaryHeaders });
    expect(JSON.parse(withoutData.data as string)).not.toHaveProperty('data');
  });

  it('reads data_base64', () => {
    const data_base64 = Buffer.from('{"n" : 2}').toString('base64');
    const value = structured({ data: undefined, data_base64 });
    expect(read('cloudevents', { value, headers: structuredType }).data).toBe('{"n" : 2}');
  });

  it('takes equal ids of two sources for two events: only source and id together are unique', () => {
    const idFrom = (source: string) =>
      read('cloudevents', { value: structured({ source }), headers: structuredType }).event.id;
    expect(idFrom('/shop')).not.toBe(idFrom('/stock'));
    expect(idFrom('/shop')).toBe(idFrom('/shop'));
  });

  it('takes an id that would be too long with its source', () => {
    const idOf = (id: string) => read('cloudevents', { value: structured({ id }), headers: structuredType }).event.id;
    expect(idOf('x'.repeat(500))).toMatch(/^ce_[\w-]{22}$/);
    expect(idOf('x'.repeat(500))).not.toBe(idOf('x'.repeat(501)));
  });

  it('takes id and key from elsewhere where it is told so', () => {
    const format = {
      cloudevents: { deliver: 'data' as const, id: { attribute: 'id' }, key: { attribute: 'subject' } },
    };
    const { event } = read(format, { value: structured({ subject: 's-1' }), headers: structuredType });
    expect(event).toMatchObject({ id: 'a-1', key: 's-1' });
  });

  it.each<[string, Parameters<typeof recordOf>[0], RegExp]>([
    ['no sign of an event', { value: '{}' }, /no CloudEvent/],
    ['another format', { headers: { 'content-type': 'application/cloudevents+avro' } }, /only JSON/],
    ['a batch', { headers: { 'content-type': 'application/cloudevents-batch+json' } }, /only JSON/],
    ['structured mode that is no JSON', { value: '{', headers: structuredType }, /the value is not JSON/],
    ['structured mode that is no object', { value: '[1]', headers: structuredType }, /not an object/],
    ['bytes that are no UTF-8', { value: Buffer.from([0x22, 0xff, 0x22]), headers: structuredType }, /not UTF-8/],
    ['no value', { value: null, headers: structuredType }, /no value/],
    ['no type', { value: structured({ type: undefined }), headers: structuredType }, /attribute type is missing/],
    ['an empty id', { value: structured({ id: '' }), headers: structuredType }, /attribute id is missing/],
    ['another version', { value: structured({ specversion: '0.3' }), headers: structuredType }, /0\.3 is unknown/],
    [
      'an attribute twice',
      { value: structured().replace('{', '{"id":"b",'), headers: structuredType },
      /more than once/,
    ],
    ['no data', { value: structured({ data: undefined }), headers: structuredType }, /data is required/],
    ['a tombstone', { value: null, headers: binaryHeaders }, /data is required/],
    ['both kinds of data', { value: structured({ data_base64: 'e30=' }), headers: structuredType }, /both/],
    [
      'base64 of no JSON',
      { value: structured({ data: undefined, data_base64: 'AAAA' }), headers: structuredType },
      /data_base64 encodes is not JSON/,
    ],
    ['data that is no JSON', { value: 'x', headers: binaryHeaders }, /not JSON/],
    ['XML', { value: '1', headers: { ...binaryHeaders, 'content-type': 'text/xml' } }, /text\/xml: only JSON/],
    ['a time that is none', { headers: { ...binaryHeaders, ce_time: 'now' } }, /time must be/],
    ['a type with a space', { headers: { ...binaryHeaders, ce_type: 'a b' } }, /type must be words/],
    ['a key that is no text', { key: Buffer.from([0xff]), headers: binaryHeaders }, /record's key is not UTF-8/],
    ['a key with NUL', { key: 'a\0b', headers: binaryHeaders }, /key must not contain control/],
    [
      'a header that is no UTF-8',
      { headers: { ...binaryHeaders, ce_type: Buffer.from([0xff]) } },
      /ce_type is not UTF-8/,
    ],
    ['too much data', { value: `"${'x'.repeat(999)}"`, headers: binaryHeaders }, /data must not be larger than 1000/],
  ])('refuses %s', (_what, parts, message) => {
    expect(() => read('cloudevents', parts)).toThrow(message);
  });
});

describe('a mapped source', () => {
  const format = {
    mapping: {
      type: { header: 'x-type' },
      id: { pointer: '/meta/ids/1' },
      key: { recordKey: 'text' as const },
      time: { pointer: '/at' },
      data: { pointer: '/pay~1load' },
    },
  };
  const value = '{"meta":{"ids":["x", 9007199254740993]},"at":1763800000123,"pay/load": {"n" : 1.0}}';

  it('takes type, id, key, time and data from where they are', () => {
    const { data, event } = read(format, { value, key: 'k', headers: { 'x-type': 'order.paid' } });
    expect(data).toBe('{"n" : 1.0}');
    expect(event).toEqual({
      tenant: 'ten_1',
      type: 'order.paid',
      // With all its digits: a parser would have made another number of it.
      id: '9007199254740993',
      key: 'k',
      time: '2025-11-22T08:26:40.123Z',
    });
  });

  it('does without key and time where the record has none, and delivers the whole value', () => {
    const { type, key, time } = format.mapping;
    const { data, event } = read(
      { mapping: { type, key, time } },
      { value: ' {"a" :1} ', headers: { 'x-type': 'a.b' } },
    );
    expect(data).toBe('{"a" :1}');
    expect(event).not.toHaveProperty('key');
    expect(event.time).toBe('2026-11-22T00:00:00.000Z');
  });

  it('derives an id that is always the same for a record, and another one for any other', () => {
    const mapping = { type: { constant: 'a.b' } };
    const idOf = (name: string, parts: Parameters<typeof recordOf>[0]) =>
      decodeEventHeaders(
        new SourceReader({ name, tenant: 'ten_1', format: { mapping } }, rules).read(recordOf(parts)).headers ?? {},
      ).id;
    const ids = [
      idOf('a', {}),
      idOf('b', {}),
      idOf('a', { offset: 8 }),
      // A topic that was deleted and made again.
      idOf('a', { timestamp: 1 }),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(idOf('a', { value: '{"n":2}' })).toBe(ids[0]);
    expect(ids[0]).toMatch(/^src_[\w-]{22}$/);
  });

  it('takes a key that is no text in hex', () => {
    const mapping = { type: { constant: 'a.b' }, key: { recordKey: 'hex' as const } };
    expect(read({ mapping }, { key: Buffer.from([0, 255]) }).event.key).toBe('00ff');
  });

  it.each<[string, Parameters<typeof recordOf>[0], RegExp]>([
    ['no type', { value }, /type is required: the record has no header x-type/],
    ['no id', { value: '{"pay/load":1}', headers: { 'x-type': 'a' } }, /id is required: .* \/meta\/ids\/1/],
    [
      'an id that is an object',
      { value: value.replace('9007199254740993', '{}'), headers: { 'x-type': 'a' } },
      /id: what stands at/,
    ],
    ['no data', { value: value.replace('pay/load', 'load'), headers: { 'x-type': 'a' } }, /data is required/],
    ['data twice', { value: value.replace('{', '{"pay/load":1,'), headers: { 'x-type': 'a' } }, /more than once/],
    [
      'a time that is none',
      { value: value.replace('1763800000123', '"soon"'), headers: { 'x-type': 'a' } },
      /time must be/,
    ],
    ['no JSON', { value: 'a,b', headers: { 'x-type': 'a' } }, /not JSON/],
    ['a tombstone', { value: null, headers: { 'x-type': 'a' } }, /no value/],
  ])('refuses %s', (_what, parts, message) => {
    expect(() => read(format, parts)).toThrow(message);
  });

  it('says everything that is wrong with a record', () => {
    const headers = { 'x-type': 'a b' };
    expect(() => read(format, { value, key: 'k'.repeat(300), headers })).toThrow(
      /key must not be longer.*type must be/s,
    );
  });

  it('refuses or takes any bytes whatever, and never fails in another way', () => {
    const anything = fc.record({
      value: fc.option(fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text))),
      key: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
      timestamp: fc.oneof(fc.integer(), fc.constant(Number.MAX_SAFE_INTEGER), fc.constant(-1)),
    });
    fc.assert(
      fc.property(anything, (parts) => {
        try {
          readerOf({ mapping: { type: { constant: 'a' }, key: { recordKey: 'text' }, id: { pointer: '' } } }).read(
            recordOf(parts),
          );
        } catch (error) {
          expect((error as Error).name).toBe('UnusableRecord');
        }
      }),
    );
  });
});
