import { describe, expect, it } from '@jest/globals';
import { verdictOf, type Verdict } from './verdict.js';

describe('verdictOf', () => {
  it.each<[Verdict, (number | undefined)[]]>([
    ['delivered', [200, 201, 202, 204, 299]],
    ['gone', [410]],
    ['slow-down', [429, 503]],
    [
      'failed',
      [undefined, 0, 100, 199, 300, 301, 302, 304, 308, 400, 401, 403, 404, 408, 409, 413, 500, 502, 504, 599],
    ],
  ])('is %s for %j', (verdict, statuses) => {
    for (const status of statuses) expect([status, verdictOf(status)]).toEqual([status, verdict]);
  });
});
