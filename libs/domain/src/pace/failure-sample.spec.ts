import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FailureSample } from './failure-sample.js';

describe('FailureSample', () => {
  it('counts as a list of the latest outcomes does', () => {
    // Mostly successes or mostly failures, in stretches, so that the sample fills with either and is left by both.
    const stretch = fc.record({ failed: fc.boolean(), times: fc.nat(50) });
    const outcomes = fc.array(stretch, { maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), outcomes, outcomes, (size, before, after) => {
        const sample = new FailureSample(size);
        for (const stretches of [before, after]) {
          const all: boolean[] = [];
          for (const { failed, times } of stretches) {
            for (let i = 0; i < times; i++) {
              all.push(failed);
              sample.add(failed);
              expect(sample.failures).toBe(all.slice(-size).filter(Boolean).length);
              expect(sample.isFull).toBe(all.length >= size);
            }
          }
          sample.clear();
          expect([sample.failures, sample.isFull]).toEqual([0, false]);
        }
      }),
    );
  });
});
