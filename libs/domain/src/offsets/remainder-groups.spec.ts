import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CompletionTracker } from './completion-tracker.js';
import { decodeOffsetMetadata, encodeOffsetMetadata, MAX_METADATA_CHARACTERS } from './offset-metadata.js';
import { fingerprintOf, opens, remainderOf, sumOf } from './remainder.js';

const name = (n: number): string => `sub_${n.toString().padStart(20, '0')}`;
const PARTS = 6;
const RECORDS = 12;

/** What is still to be done: for each record the parts that are open. */
type Model = Map<number, Set<string>>;

/** What one worker does until it dies: reads so many records, and completes these parts. */
const life = fc.record({
  reads: fc.nat(RECORDS),
  completes: fc.array(fc.tuple(fc.nat(RECORDS - 1), fc.nat(PARTS - 1))),
});

const committed = (tracker: CompletionTracker) =>
  encodeOffsetMetadata(tracker.watermark, { complete: tracker.completeAbove(), remainders: tracker.remainders() });

describe('the remainders of records', () => {
  it('one hanging target among many does not repeat the others: over any restarts only what is open is done again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: PARTS }), { minLength: RECORDS, maxLength: RECORDS }),
        fc.array(life),
        (widths, lives) => {
          const partsOf = (offset: number): string[] =>
            Array.from({ length: widths[offset] as number }, (_, n) => name(n));
          const model: Model = new Map(widths.map((_, offset) => [offset, new Set(partsOf(offset))]));
          let text = '';
          let watermark = 0;
          for (const { reads, completes } of lives) {
            const { complete, remainders } = decodeOffsetMetadata(watermark, text);
            const tracker = new CompletionTracker(watermark, complete, remainders);
            const start = tracker.position;
            for (let offset = start; offset < Math.min(RECORDS, start + reads); offset++) {
              expect(tracker.begin(offset)).toBe((model.get(offset) as Set<string>).size > 0);
            }
            for (let offset = start; offset < tracker.position; offset++) {
              const open = model.get(offset) as Set<string>;
              if (open.size > 0)
                expect([...tracker.parts(offset, partsOf(offset)).open].sort()).toEqual([...open].sort());
            }
            for (const [offset, part] of completes) {
              const open = model.get(offset) as Set<string>;
              if (offset < start || offset >= tracker.position || !open.delete(name(part))) continue;
              tracker.parts(offset, partsOf(offset)).complete(name(part));
              if (open.size === 0) tracker.complete(offset);
            }
            ({ watermark } = tracker);
            const encoded = committed(tracker);
            expect(encoded.whole).toBe(true);
            text = encoded.text;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('names the open or the complete parts, whichever are fewer', () => {
    const prints = Array.from({ length: 64 }, (_, n) => fingerprintOf(name(n)));
    expect(remainderOf(sumOf(prints), prints.slice(0, 2), prints.slice(2))).toHaveLength(2 + 1 + 2 * 2);
    expect(remainderOf(sumOf(prints), prints.slice(3), prints.slice(0, 3))).toHaveLength(2 + 1 + 2 * 3);
    for (const done of [1, 31, 32, 63]) {
      const isOpen = opens(remainderOf(sumOf(prints), prints.slice(done), prints.slice(0, done)), prints);
      expect(prints.map(isOpen)).toEqual(prints.map((_, i) => i >= done));
    }
  });

  const openOf = (before: string[], done: string[], now: string[]): string[] => {
    const tracker = new CompletionTracker(0);
    tracker.begin(0);
    for (const part of done) tracker.parts(0, before).complete(part);
    const { complete, remainders } = decodeOffsetMetadata(0, committed(tracker).text);
    const next = new CompletionTracker(0, complete, remainders);
    next.begin(0);
    return [...next.parts(0, now).open];
  };

  it('takes for complete what it names as complete, and the others for open, whatever parts the record has now', () => {
    expect(openOf(['a', 'b', 'c'], ['a'], ['x', 'a', 'y', 'b'])).toEqual(['x', 'y', 'b']);
  });

  it('repeats nothing of a record that has one part more now, or one fewer that was open', () => {
    const before = ['a', 'b', 'c', 'd'];
    const done = ['a', 'b'];
    expect(openOf(before, done, ['c', 'a', 'd', 'b'])).toEqual(['c', 'd']);
    for (let at = 0; at <= before.length; at++)
      expect(openOf(before, done, before.toSpliced(at, 0, 'new')).sort()).toEqual(['c', 'd', 'new']);
    expect(openOf(before, done, ['a', 'b', 'd'])).toEqual(['d']);
  });

  it('takes all for open where the record has other parts now and it names the open ones', () => {
    const before = ['a', 'b', 'c'];
    const done = ['a', 'b'];
    // What was "b" and "c" is one piece now: it has a name of its own, and nobody has done it.
    for (const now of [
      ['a', 'b,c'],
      [...before, 'd', 'e'],
      ['b', 'c'],
      ['a', 'c', 'd'],
    ])
      expect(openOf(before, done, now)).toEqual(now);
  });

  it('takes nothing for complete that was not done, whatever parts the record has now', () => {
    const some = (): fc.Arbitrary<string[]> => fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 });
    fc.assert(
      fc.property(some(), some(), some(), (before, of, now) => {
        const done = before.filter((part) => of.includes(part)).slice(0, before.length - 1);
        expect(openOf(before, done, now)).toEqual(expect.arrayContaining(now.filter((part) => !done.includes(part))));
      }),
    );
  });

  it('takes a part for open where its fingerprint is that of a complete one', () => {
    const isOpen = opens(remainderOf(sumOf([7, 8, 9]), [7, 8, 9], [7]), [7, 8, 9]);
    expect([7, 8, 9].map(isOpen)).toEqual([true, true, true]);
  });

  it('an endpoint that hangs costs no more in a thousand records than in one', () => {
    const tracker = new CompletionTracker(0);
    const parts = Array.from({ length: 64 }, (_, n) => name(n));
    const read = (offset: number): void => {
      tracker.begin(offset);
      // Every third record is somebody else's, and done.
      if (offset % 3 === 2) tracker.complete(offset);
      else for (const part of parts.slice(1)) tracker.parts(offset, parts).complete(part);
    };
    read(0);
    const one = committed(tracker).text.length;
    for (let offset = 1; offset < 1_000; offset++) read(offset);
    const { text, whole } = committed(tracker);
    expect(whole).toBe(true);
    // What the complete ones cost is what it was: a bit for each offset.
    expect(text.length).toBeLessThanOrEqual(one + Math.ceil(1_000 / 15));
  });

  it('does not spread over a record of which nothing is complete', () => {
    const tracker = new CompletionTracker(0);
    for (let offset = 0; offset < 3; offset++) tracker.begin(offset);
    for (const offset of [0, 2]) tracker.parts(offset, ['a', 'b']).complete('a');
    const { complete, remainders } = decodeOffsetMetadata(0, committed(tracker).text);
    const next = new CompletionTracker(0, complete, remainders);
    const open = [0, 1, 2].map((offset) => {
      next.begin(offset);
      return [...next.parts(offset, ['a', 'b']).open];
    });
    expect(open).toEqual([['b'], ['a', 'b'], ['b']]);
  });

  it('keeps to the limit, says that it is full, and tells nothing that is not true', () => {
    const tracker = new CompletionTracker(0);
    const partsOf = (offset: number): string[] => Array.from({ length: 8 }, (_, n) => name(offset * 8 + n));
    for (let offset = 0; offset < 1_000; offset++) {
      tracker.begin(offset);
      for (const part of partsOf(offset).slice(0, 4)) tracker.parts(offset, partsOf(offset)).complete(part);
    }
    const { text, whole } = committed(tracker);
    expect(whole).toBe(false);
    expect(text.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
    const { remainders } = decodeOffsetMetadata(0, text);
    expect(remainders.length).toBeGreaterThan(250);
    for (const { from, remainder } of remainders) {
      const isOpen = opens(remainder, partsOf(from).map(fingerprintOf));
      expect(partsOf(from).map((part) => isOpen(fingerprintOf(part)))).toEqual(partsOf(from).map((_, n) => n >= 4));
    }
  });
});
