import { describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { Matching } from './matching.js';

function matching(change: Partial<SubscriptionRecord>): Matching {
  const made = new Matching();
  const record: SubscriptionRecord = {
    ...{ v: 1, version: 3, id: 'sub_a', tenant: 'ten_a', url: '', types: ['order.*'], status: 'enabled', sealed: '' },
    holdsFrom: { 0: 200 },
    before: [
      { version: 2, live: false, types: ['order.*'], holdsFrom: { 0: 100 } },
      { version: 1, live: true, types: ['invoice.*'], holdsFrom: { 0: 50 } },
    ],
    ...change,
  };
  made.update([{ record, at: new Date(0) }]);
  return made;
}

const kindAt = (made: Matching, type: string, offset: number): string | undefined =>
  made.match('ten_a', type, 0, offset)[0]?.kind;

describe('what an event is to a subscription', () => {
  it('is what the version says that holds where it stands: taken, held, or nothing', () => {
    const made = matching({});
    expect([49, 50, 100, 200].map((offset) => kindAt(made, 'invoice.paid', offset))).toEqual([
      undefined,
      'taken',
      undefined,
      undefined,
    ]);
    expect([50, 100, 199, 200].map((offset) => kindAt(made, 'order.created', offset))).toEqual([
      undefined,
      'held',
      'held',
      'taken',
    ]);
    expect(made.match('ten_b', 'order.created', 0, 200)).toEqual([]);
  });

  it('is nothing once the subscription is deleted', () => {
    expect([199, 200].map((offset) => kindAt(matching({ status: 'deleted' }), 'order.created', offset))).toEqual([
      'held',
      undefined,
    ]);
  });

  it('is unclear below the first version that is known, where that is not the one that made it', () => {
    const made = matching({ before: [] });
    expect([199, 200].map((offset) => kindAt(made, 'order.created', offset))).toEqual(['unclear', 'taken']);
    expect(made.forgottenBelow(made.at(0), 0)).toBe(200);
  });
});
