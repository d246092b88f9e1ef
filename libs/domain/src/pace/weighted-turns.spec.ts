import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WeightedTurns } from './weighted-turns.js';

type Letter = 'a' | 'b' | 'c';
const all = (): boolean => true;

const weight = fc.integer({ min: 1, max: 20 });
const weightsOf = fc.record({ a: weight, b: weight, c: weight });

describe('WeightedTurns', () => {
  it('mixes the classes as nginx does', () => {
    const turns = new WeightedTurns({ a: 5, b: 1, c: 1 });
    expect(Array.from({ length: 7 }, () => turns.next(all)).join('')).toBe('aabacaa');
  });

  it('serves whoever has something, and nobody where nobody has', () => {
    const turns = new WeightedTurns({ live: 16, retry: 4, replay: 1 });
    for (let i = 0; i < 100; i++) expect(turns.next((of) => of === 'replay')).toBe('replay');
    expect(turns.next(() => false)).toBeUndefined();
  });

  it('gives live work its turn at once after replays had all of them', () => {
    const turns = new WeightedTurns({ live: 16, retry: 4, replay: 1 });
    for (let i = 0; i < 1_000; i++) turns.next((of) => of === 'replay');
    expect(turns.next(all)).toBe('live');
  });

  it('gives no burst to a class that had nothing for long', () => {
    const turns = new WeightedTurns({ live: 16, retry: 4, replay: 1 });
    for (let i = 0; i < 1_000; i++) turns.next((of) => of !== 'replay');
    const served = Array.from({ length: 21 }, () => turns.next(all));
    expect(served.filter((of) => of === 'replay')).toHaveLength(1);
  });

  it('keeps no credit for a class while it has nothing', () => {
    const turns = new WeightedTurns({ live: 16, replay: 1 });
    // One turn more, and it would be the turn of replays.
    for (let i = 0; i < 8; i++) expect(turns.next(all)).toBe('live');
    turns.next((of) => of === 'live');
    expect(turns.next(all)).toBe('live');
  });

  it('divides every cycle by the weights where all have something', () => {
    fc.assert(
      fc.property(weightsOf, (weights) => {
        const turns = new WeightedTurns<Letter>(weights);
        const served = { a: 0, b: 0, c: 0 };
        for (let i = 0; i < weights.a + weights.b + weights.c; i++) served[turns.next(all) as Letter]++;
        expect(served).toEqual(weights);
      }),
    );
  });

  it('serves only who has something, and lets one that always has fall behind its share by no more than two turns', () => {
    const present = fc.record({ a: fc.boolean(), b: fc.boolean() });
    fc.assert(
      fc.property(weightsOf, fc.array(present, { maxLength: 300 }), (weights, steps) => {
        const turns = new WeightedTurns<Letter>(weights);
        const share = weights.c / (weights.a + weights.b + weights.c);
        let lead = 0;
        let greatestLead = 0;
        for (const step of steps) {
          const has = { ...step, c: true };
          const served = turns.next((of) => has[of]) as Letter;
          expect(has[served]).toBe(true);
          lead += (served === 'c' ? 1 : 0) - share;
          greatestLead = Math.max(greatestLead, lead);
          expect(greatestLead - lead).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 300 },
    );
  });
});
