import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OffsetRun } from './offset-run.js';
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  MAX_METADATA_CHARACTERS,
  type OffsetProgress,
} from './offset-metadata.js';

const runsOf = (watermark: number, longest: number, most: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: longest }), fc.integer({ min: 1, max: longest })), { maxLength: most })
    .map((pairs) => {
      let at = watermark;
      return pairs.map(([gap, length]): OffsetRun => ({ from: at + gap, to: (at += gap + length) }));
    });

const OF_VERSION_1 = 'h1r\u8d52\u3405\u345f';

const onlyRuns = (complete: readonly OffsetRun[]): OffsetProgress => ({ complete, remainders: [] });

const cases = fc
  .tuple(fc.nat(2 ** 40), fc.constantFrom(2, 40, 100_000), fc.constantFrom(5, 200, 6_000))
  .chain(([watermark, longest, most]) => fc.tuple(fc.constant(watermark), runsOf(watermark, longest, most)));

/** Every run lies in one of the true runs. */
const isPart = (found: readonly OffsetRun[], truth: readonly OffsetRun[]): boolean =>
  found.every((run) => truth.some(({ from, to }) => from <= run.from && run.to <= to));

describe('the metadata of a commit', () => {
  it('comes back as it was, or as a true part of it where it does not fit', () => {
    fc.assert(
      fc.property(cases, ([watermark, runs]) => {
        const { text, whole } = encodeOffsetMetadata(watermark, onlyRuns(runs));
        expect(text.length).toBeLessThanOrEqual(MAX_METADATA_CHARACTERS);
        const { complete: back } = decodeOffsetMetadata(watermark, text);
        if (whole) expect(back).toEqual(runs);
        else expect(isPart(back, runs)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('has three bytes of UTF-8 for each character, and no surrogates', () => {
    fc.assert(
      fc.property(cases, ([watermark, runs]) => {
        const { text } = encodeOffsetMetadata(watermark, onlyRuns(runs));
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
        expect(Buffer.byteLength(text.slice(3))).toBe(text.slice(3).length * 3);
      }),
      { numRuns: 50 },
    );
  });

  it('holds some 61,000 offsets however they alternate, and then says that it is full', () => {
    const alternating = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ from: 2 * i + 1, to: 2 * i + 2 }));
    expect(encodeOffsetMetadata(0, onlyRuns(alternating(30_600))).whole).toBe(true);
    expect(encodeOffsetMetadata(0, onlyRuns(alternating(30_800))).whole).toBe(false);
  });

  it('keeps to a smaller limit of the broker', () => {
    const runs = [
      { from: 5, to: 6 },
      { from: 500_000, to: 500_001 },
    ];
    for (let limit = 0; limit < 12; limit++) {
      const { text, whole } = encodeOffsetMetadata(0, onlyRuns(runs), limit);
      expect(text.length).toBeLessThanOrEqual(limit);
      expect(isPart(decodeOffsetMetadata(0, text).complete, runs)).toBe(true);
      expect(whole).toBe(limit >= 9);
    }
  });

  it('tells nothing for another watermark', () => {
    const { text } = encodeOffsetMetadata(100, onlyRuns([{ from: 105, to: 110 }]));
    expect(decodeOffsetMetadata(101, text)).toEqual(onlyRuns([]));
  });

  it('tells nothing when it is garbage, and never throws', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.constantFrom('h1r', 'h1b', 'h2r', 'h2b', 'h3r'), fc.string({ unit: 'binary' }))
        .map(([head, rest]) => head + rest),
      fc.constantFrom(null, undefined, '', 'h', 'h1r', 'h1b', 'h2r'),
    );
    fc.assert(
      fc.property(fc.nat(), garbage, (watermark, text) =>
        expect(decodeOffsetMetadata(watermark, text)).toEqual(onlyRuns([])),
      ),
    );
  });

  it('is read as the version before wrote it, and written so where there is nothing to say of parts', () => {
    // By 3f6365d, of which workers may still run while an update rolls.
    expect(encodeOffsetMetadata(100, onlyRuns([{ from: 105, to: 200 }])).text).toBe(OF_VERSION_1);
    expect(decodeOffsetMetadata(100, OF_VERSION_1)).toEqual(onlyRuns([{ from: 105, to: 200 }]));
  });
});
