import { describe, expect, it } from '@jest/globals';
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
});
