import { describe, expect, it } from '@jest/globals';
import { openRuns } from './open-runs.js';

describe('openRuns', () => {
  it.each([
    [[], [{ from: 5, to: 20 }]],
    [[{ from: 5, to: 20 }], []],
    [
      [
        { from: 7, to: 9 },
        { from: 12, to: 30 },
      ],
      [
        { from: 5, to: 7 },
        { from: 9, to: 12 },
      ],
    ],
    [[{ from: 25, to: 30 }], [{ from: 5, to: 20 }]],
    [[{ from: 1, to: 8 }], [{ from: 8, to: 20 }]],
  ])('what is open in 5 to 20 besides %j', (complete, open) => {
    expect(openRuns(5, 20, complete)).toEqual(open);
  });
});
