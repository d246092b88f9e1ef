import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SubscriptionIndex, type Matchable } from './subscription-index.js';
import { isEventType, isTypePattern, matchesType } from './type-pattern.js';

describe('patterns', () => {
  it.each(['order.created', '*', 'order.*', 'a', 'order.item.*', 'com.example:thing/v1'])('%s is one', (text) => {
    expect(isTypePattern(text)).toBe(true);
  });

  it.each(['', '.', 'order.', '.created', 'order..created', 'or*er', '*.created', '**', 'a b', 'order.*.x', '.*'])(
    '%p is none',
    (text) => expect(isTypePattern(text)).toBe(false),
  );

  it('are no types of events', () => {
    expect(isEventType('order.*')).toBe(false);
    expect(isEventType('order.created')).toBe(true);
  });

  it('match below the prefix, not the prefix itself', () => {
    expect(matchesType('order.*', 'order.item.added')).toBe(true);
    expect(matchesType('order.*', 'order')).toBe(false);
    expect(matchesType('order.*', 'orders.created')).toBe(false);
    expect(matchesType('*', 'anything')).toBe(true);
  });
});

const word = fc.constantFrom('a', 'b', 'c');
const type = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
const pattern = fc.oneof(
  type,
  type.map((text) => `${text}.*`),
  fc.constant('*'),
);
const tenant = fc.constantFrom('t1', 't2');
const subscription = fc.record({
  id: fc.integer({ min: 0, max: 9 }).map((n) => `sub_${n}`),
  tenant,
  types: fc.array(pattern, { maxLength: 4 }),
});
const change = fc.oneof(
  subscription.map((set) => ({ set })),
  subscription.map(({ id }) => ({ remove: id })),
);

describe('SubscriptionIndex', () => {
  it('finds what comparing each subscription finds', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), tenant, type, (changes, ofTenant, ofType) => {
        const index = new SubscriptionIndex<Matchable>();
        const model = new Map<string, Matchable>();
        for (const step of changes) {
          const id = 'set' in step ? step.set.id : step.remove;
          const known = model.get(id);
          if (known !== undefined) index.remove(known);
          model.delete(id);
          if ('set' in step) {
            index.add(step.set);
            model.set(id, step.set);
          }
        }
        const expected = [...model.values()]
          .filter((one) => one.tenant === ofTenant && one.types.some((text) => matchesType(text, ofType)))
          .map(({ id }) => id);
        const found = index.match(ofTenant, ofType).map(({ id }) => id);
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });
});
