import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CompletionTracker } from './completion-tracker.js';
import type { OffsetRun } from './offset-run.js';

/** The same, with nothing but two sets. */
class NaiveTracker {
  private readonly begun = new Set<number>();
  private readonly done = new Set<number>();
  private next: number;

  constructor(
    private readonly start: number,
    restored: readonly OffsetRun[],
  ) {
    this.next = start;
    for (const { from, to } of restored) for (let offset = from; offset < to; offset++) this.done.add(offset);
  }

  begin(offset: number): boolean {
    if (offset < this.next) return false;
    for (let hole = this.next; hole < offset; hole++) this.done.add(hole);
    this.next = offset + 1;
    if (this.done.has(offset)) return false;
    this.begun.add(offset);
    return true;
  }

  complete(offset: number): boolean {
    if (!this.begun.delete(offset)) return false;
    this.done.add(offset);
    return true;
  }

  get inFlight(): number {
    return this.begun.size;
  }

  get watermark(): number {
    let offset = this.start;
    while (this.done.has(offset)) offset++;
    return offset;
  }

  completeAbove(): number[] {
    const watermark = this.watermark;
    return [...this.done].filter((offset) => offset > watermark).sort((a, b) => a - b);
  }
}

const flatten = (runs: readonly OffsetRun[]): number[] =>
  runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));

/** Runs above the watermark, as a commit's metadata has them. */
const restoredRuns = (watermark: number) =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 })), { maxLength: 5 }).map((pairs) => {
    let at = watermark;
    return pairs.map(([gap, length]) => {
      const from = at + gap;
      at = from + length;
      return { from, to: at };
    });
  });

describe('CompletionTracker', () => {
  it('agrees with two sets, in whatever order records come and complete', () => {
    const step = fc.oneof(
      // Mostly the next offset; sometimes a hole in the log, sometimes one that was delivered before.
      fc.record({ begin: fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 4 })) }),
      fc.record({ complete: fc.nat(30) }),
    );
    fc.assert(
      fc.property(
        fc.nat(50).chain((watermark) => fc.tuple(fc.constant(watermark), restoredRuns(watermark))),
        fc.array(step, { maxLength: 300 }),
        ([watermark, restored], steps) => {
          const tracker = new CompletionTracker(watermark, restored);
          const naive = new NaiveTracker(watermark, restored);
          for (const each of steps) {
            if ('begin' in each) {
              const offset = Math.max(0, tracker.position + each.begin);
              expect(tracker.begin(offset)).toBe(naive.begin(offset));
            } else {
              const offset = Math.max(0, tracker.position - each.complete);
              expect(tracker.complete(offset)).toBe(naive.complete(offset));
            }
            expect(tracker.watermark).toBe(naive.watermark);
            expect(tracker.inFlight).toBe(naive.inFlight);
            expect(flatten(tracker.completeAbove())).toEqual(naive.completeAbove());
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a tracker made from what another one would commit repeats only what was in flight', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), (completed) => {
        const first = new CompletionTracker(7);
        completed.forEach((_, i) => first.begin(7 + i));
        completed.forEach((done, i) => done && first.complete(7 + i));
        const second = new CompletionTracker(first.watermark, first.completeAbove());
        const again: number[] = [];
        for (let offset = second.watermark; offset < 7 + completed.length; offset++) {
          if (second.begin(offset)) again.push(offset);
        }
        expect(again).toEqual(completed.flatMap((done, i) => (done ? [] : [7 + i])));
      }),
    );
  });

  it('holds nothing for what is complete, however far one slow record lags behind', () => {
    const tracker = new CompletionTracker(0);
    for (let offset = 0; offset < 200_000; offset++) {
      tracker.begin(offset, 1_000 + offset);
      if (offset > 0) tracker.complete(offset);
    }
    expect(tracker.watermark).toBe(0);
    expect(tracker.oldestTimestamp).toBe(1_000);
    expect(tracker.completeAbove()).toEqual([{ from: 1, to: 200_000 }]);
    tracker.complete(0);
    expect(tracker.watermark).toBe(200_000);
    expect(tracker.oldestTimestamp).toBeUndefined();
  });

  it('takes what was read past for complete: control records and compaction leave holes', () => {
    const tracker = new CompletionTracker(10);
    tracker.begin(12);
    expect(tracker.watermark).toBe(12);
    tracker.seen(20);
    tracker.complete(12);
    expect(tracker.watermark).toBe(20);
  });
});
