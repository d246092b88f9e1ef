import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeduplicationIndex } from './deduplication-index.js';

const WINDOW = 100;

interface Seen {
  id: string;
  at: number;
  first: number;
}

/** The rule, said naively: an earlier record of the same id, within the window, among the last `maxIds`. */
class NaiveModel {
  private readonly log: Seen[] = [];
  constructor(private readonly maxIds: number) {}

  add(id: string, offset: number, at: number): number | undefined {
    const known = this.log
      .slice(-this.maxIds)
      .filter((seen) => at - seen.at <= WINDOW && seen.id === id)
      .at(-1);
    this.log.push({ id, at, first: known?.first ?? offset });
    return known?.first;
  }
}

const steps = fc.array(fc.record({ id: fc.nat(30).map(String), after: fc.oneof(fc.nat(3), fc.nat(60)) }), {
  maxLength: 300,
});

describe('DeduplicationIndex', () => {
  it.each([2, 3, 8, 20, 5_000])('decides as the rule says, with room for %d', (maxIds) => {
    fc.assert(
      fc.property(steps, (records) => {
        const index = new DeduplicationIndex(WINDOW, maxIds);
        const model = new NaiveModel(maxIds);
        let at = 0;
        for (const [offset, { id, after }] of records.entries()) {
          at += after;
          expect(index.add('t', id, offset, at)).toBe(model.add(id, offset, at));
        }
        expect(index.size).toBeLessThanOrEqual(maxIds);
      }),
    );
  });

  it("decides alike after it was rebuilt from the log's tail", () => {
    fc.assert(
      fc.property(steps, fc.nat(300), fc.constantFrom(5, 5_000), (records, cut, maxIds) => {
        const log: { id: string; at: number }[] = [];
        for (const { id, after } of records) log.push({ id, at: (log.at(-1)?.at ?? 0) + after });
        const whole = new DeduplicationIndex(WINDOW, maxIds);
        const rebuilt = new DeduplicationIndex(WINDOW, maxIds);
        const watermark = Math.min(cut, log.length);
        const from = Math.max(
          0,
          watermark - maxIds,
          log.findIndex((one) => one.at >= (log[watermark]?.at ?? Infinity) - WINDOW),
        );
        for (const [offset, { id, at }] of log.entries()) {
          const expected = whole.add('t', id, offset, at) !== undefined;
          if (offset < from) continue;
          const actual = rebuilt.add('t', id, offset, at) !== undefined;
          if (offset >= watermark) expect(actual).toBe(expected);
        }
      }),
    );
  });

  it('grows over many thousands, and forgets what is past the window', () => {
    const index = new DeduplicationIndex(10_000, 20_000);
    for (let n = 0; n < 12_000; n++) expect(index.add('t', `e${n}`, n, n)).toBeUndefined();
    expect(index.size).toBe(10_001);
    expect(index.add('t', 'e1999', 12_000, 12_000)).toBeUndefined();
    expect(index.add('t', 'e2000', 12_001, 12_000)).toBe(2_000);
    expect(index.add('t', 'e11999', 12_002, 12_000)).toBe(11_999);
  });

  it('keeps tenants apart, and is not misled by a record that is tried again', () => {
    const index = new DeduplicationIndex(WINDOW, 10);
    expect(index.add('t1', 'e', 7, 0)).toBeUndefined();
    expect(index.add('t2', 'e', 8, 0)).toBeUndefined();
    expect(index.add('t1', 'e', 7, 0)).toBeUndefined();
    expect(index.add('t1', 'e', 9, 1)).toBe(7);
    expect(index.add('t1', 'e', 7, 1)).toBeUndefined();
  });
});
