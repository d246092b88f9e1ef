import { describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { subscriptionRecord } from '../testing/guests.js';
import { CommonFields } from './common-fields.js';

/** As the view gives it: nothing of it is shared with another record. */
function decoded(change: Partial<SubscriptionRecord>): SubscriptionRecord {
  return JSON.parse(JSON.stringify(subscriptionRecord(change))) as SubscriptionRecord;
}

describe('What many subscriptions say alike', () => {
  it('is there once, and each record says what it said', () => {
    const common = new CommonFields();
    const types = ['order.created', 'order.item.*'];
    const records = ['sub_a', 'sub_b', 'sub_c'].map((id) => decoded({ id, types }));
    const [first, second, third] = records.map((record) => common.of(record));
    expect([first, second, third]).toEqual(records);
    expect(second?.types).toBe(first?.types);
    expect(third?.types).toBe(first?.types);
  });

  it('keeps lists apart that differ in one type, in order, or in where one type ends', () => {
    const common = new CommonFields();
    const lists = [['ab'], ['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c'], ['*'], []];
    const twice = [...lists, ...lists].map((types) => common.of(decoded({ types })).types);
    expect(twice).toEqual([...lists, ...lists]);
    expect(new Set(twice).size).toBe(lists.length);
  });

  it('remembers no long list: they differ, and nobody would let go of them', () => {
    const common = new CommonFields();
    const types = Array.from({ length: 40 }, (_, n) => `order.type${n}`);
    const [first, second] = [common.of(decoded({ types })), common.of(decoded({ types }))];
    expect(second.types).toEqual(types);
    expect(second.types).not.toBe(first.types);
  });

  it('does not keep for ever what nobody says any more', () => {
    const common = new CommonFields(2);
    const typesOf = (type: string) => common.of(decoded({ types: [type] })).types;
    const first = typesOf('a');
    expect(typesOf('b')).toEqual(['b']);
    expect(typesOf('a')).toBe(first);
    expect(typesOf('c')).toEqual(['c']);
    expect(typesOf('a')).not.toBe(first);
    expect(typesOf('a')).toEqual(first);
  });
});
