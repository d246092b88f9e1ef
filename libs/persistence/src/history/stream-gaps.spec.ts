import { describe, expect, it } from '@jest/globals';
import { gapsAt, type NotedGap } from './stream-gaps.js';

const noted = (reason: NotedGap['reason'], from: number, to: number): NotedGap => ({
  reason,
  from,
  to,
  fromAt: from * 10,
  toAt: to * 10,
});
const unread = (from: number, to: number): NotedGap => noted('log-retention', from, to);
const dropped = (from: number, to: number): NotedGap => noted('history-retention', from, to);
const bounds = (next: number, gaps: NotedGap[]): string[] =>
  gapsAt(3, next, gaps).map(({ partition, from, to, reason }) => `${partition}: ${from}-${to} ${reason}`);

describe('what is gone where a reader stands', () => {
  it('is nothing where nothing is gone, or only further on', () => {
    expect(bounds(5, [])).toEqual([]);
    expect(bounds(5, [unread(6, 9)])).toEqual([]);
    expect(bounds(9, [unread(6, 9), dropped(0, 4)])).toEqual([]);
  });

  it('begins where the reader stands, not where the gap does', () => {
    expect(bounds(7, [unread(2, 9)])).toEqual(['3: 7-9 log-retention']);
  });

  it('is all that is below a dropped day, with the days that follow as one', () => {
    expect(bounds(1, [dropped(4, 9), dropped(10, 20)])).toEqual(['3: 1-20 history-retention']);
    expect(gapsAt(0, 1, [dropped(4, 9), dropped(10, 20)])).toMatchObject([{ fromAt: 40, toAt: 200 }]);
  });

  it('tells what the log let go of from what history dropped, one behind the other', () => {
    expect(bounds(0, [dropped(0, 10), unread(10, 30), dropped(30, 40), unread(50, 60)])).toEqual([
      '3: 0-10 history-retention',
      '3: 10-30 log-retention',
      '3: 30-40 history-retention',
    ]);
  });
});
