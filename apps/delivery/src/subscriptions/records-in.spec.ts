import { describe, expect, it } from '@jest/globals';
import { UnreadableRecord, type SubscriptionRecord } from '@hookline/contracts';
import { subscriptionRecord, testSealer } from '../testing/guests.js';
import { recordsIn } from './records-in.js';
import { Targets } from './targets.js';

describe('The records of the targets', () => {
  it('are what the view put in, in their latest version, until it takes them out', () => {
    const targets = new Targets(testSealer);
    const records = recordsIn(targets);
    const first = subscriptionRecord();
    records.set(first.id, first);
    expect([records.size, records.get(first.id)]).toEqual([1, first]);
    const deleted = { ...first, version: 2, status: 'deleted' as const };
    records.set(first.id, deleted);
    expect([records.size, records.get(first.id)]).toEqual([1, deleted]);
    records.delete(first.id);
    expect([records.size, records.get(first.id), targets.get(first.id)]).toEqual([0, undefined, undefined]);
  });

  it('are left out where one says nothing of types: the view goes on with the next', () => {
    const records = recordsIn(new Targets(testSealer));
    const { types: _types, ...rest } = subscriptionRecord();
    expect(() => records.set(rest.id, rest as SubscriptionRecord)).toThrow(UnreadableRecord);
    expect(records.size).toBe(0);
  });
});
