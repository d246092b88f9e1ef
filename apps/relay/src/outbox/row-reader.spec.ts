import { describe, expect, it } from '@jest/globals';
import { loadConfig, publishSection } from '@hookline/config';
import { decodeEventHeaders, eventKafkaKey, TOPICS } from '@hookline/contracts';
import type { OutboxRow } from './outbox-rows.js';
import { RowReader } from './row-reader.js';

const { publish } = loadConfig({ publish: publishSection }, {});
const row = (changes: Partial<OutboxRow> = {}): OutboxRow => ({
  seq: '1',
  tenant: null,
  id: 'evt_1',
  type: 'order.created',
  key: null,
  time: '2026-11-22T10:00:00.123456Z',
  data: '{"a": 1}',
  ...changes,
});
const reader = new RowReader(publish, { tenant: 'ten_own', tenants: ['ten_other'] });
const reasonFor = (changes: Partial<OutboxRow>, by = reader) => by.read([row(changes)]).refusals[0]?.reason;

describe('RowReader', () => {
  it('makes the record that ingest would make', () => {
    const [read] = reader.read([row()]).good;
    expect(read?.record).toMatchObject({
      topic: TOPICS.events,
      key: eventKafkaKey('ten_own', undefined, 'evt_1'),
      value: Buffer.from('{"a": 1}'),
    });
    expect(decodeEventHeaders(read?.record.headers ?? {})).toEqual({
      tenant: 'ten_own',
      id: 'evt_1',
      type: 'order.created',
      time: '2026-11-22T10:00:00.123456Z',
    });
    const [keyed] = reader.read([row({ key: 'order-1' })]).good;
    expect(keyed?.record.key).toBe(eventKafkaKey('ten_own', 'order-1', 'evt_1'));
  });

  it('keeps the order, and goes on past what it refuses', () => {
    const rows = ['1', '2', '3', '4'].map((seq) => row({ seq, id: seq === '2' ? '' : seq }));
    const { good, refusals } = reader.read(rows);
    expect(good.map((read) => read.row.seq)).toEqual(['1', '3', '4']);
    expect(refusals.map(({ seq }) => seq)).toEqual(['2']);
  });

  it('takes a tenant that is its own or allowed, and no other', () => {
    expect(reasonFor({ tenant: 'ten_other' })).toBeUndefined();
    expect(reasonFor({ tenant: 'ten_own' })).toBeUndefined();
    expect(reasonFor({ tenant: 'ten_foreign' })).toMatch('ten_foreign is neither HOOKLINE_RELAY_TENANT nor');
    const without = new RowReader(publish, { tenant: undefined, tenants: ['ten_other'] });
    expect(reasonFor({ tenant: 'ten_other' }, without)).toBeUndefined();
    expect(reasonFor({}, without)).toMatch('names no tenant');
  });

  it.each<[Partial<OutboxRow>, RegExp]>([
    [{ id: 'a'.repeat(129) }, /^id must not be longer than 128/],
    // 100 characters for PostgreSQL, 200 for JavaScript
    [{ id: '😀'.repeat(100) }, /^id must not be longer than 128/],
    [{ type: 'not a type' }, /^type must be words/],
    [{ key: 'a\u0007' }, /^key must not contain control characters/],
    [{ time: 'infinity' }, /^time must be a time/],
    [{ data: `"${'é'.repeat(131_072)}"` }, /^data must not be larger than 262144 bytes/],
    [{ type: 'x y', key: '' }, /^key must be .*; type must be/],
  ])('refuses %j', (changes, reason) => {
    expect(reasonFor(changes)).toMatch(reason);
  });
});
