import { describe, expect, it } from '@jest/globals';
import { committedMs, unexplained } from './repeats.js';

const STRUCK = 100_000;
const OVER = 110_000;
const spans = [{ from: STRUCK, to: OVER }];
const repeated = (before: number, publishedAt: number, slowestMs = 30): string[] =>
  unexplained(
    'plain',
    [{ eventId: 'a', before, again: before + 1_000 }],
    { spans, committedMs: committedMs(slowestMs) },
    () => publishedAt,
  );

describe('a repeat', () => {
  it('is explained where its delivery was under way, or not committed yet, as partitions were lost', () => {
    expect(repeated(STRUCK - 4_000, STRUCK - 5_000)).toEqual([]);
    expect(repeated(OVER + 60_000, OVER - 1)).toEqual([]);
  });

  it('is not explained where it had been accepted long before, or was published after', () => {
    expect(repeated(STRUCK - 6_000, STRUCK - 7_000)).toEqual([
      'plain: a, accepted at 00:01:34.000 and again at 00:01:35.000',
    ]);
    expect(repeated(OVER + 3, OVER + 2)).toHaveLength(1);
  });

  it('is explained by longer before where everything takes longer', () => {
    expect(repeated(STRUCK - 6_000, STRUCK - 7_000, 2_000)).toEqual([]);
    expect(repeated(STRUCK - 9_000, STRUCK - 9_500, 2_000)).toHaveLength(1);
  });
});
