import { describe, expect, it } from '@jest/globals';
import { ledByOne } from './led-by-one.js';

describe('partitions that one broker leads', () => {
  it('have their other copies on the others in turn', () => {
    expect(ledByOne(3, 3, [3, 1, 2])).toEqual([
      { partition: 0, replicas: [1, 2, 3] },
      { partition: 1, replicas: [1, 3, 2] },
      { partition: 2, replicas: [1, 2, 3] },
    ]);
  });

  it('have as many copies as they should, also with one broker', () => {
    expect(ledByOne(1, 2, [1, 2, 3, 4])).toEqual([{ partition: 0, replicas: [1, 2] }]);
    expect(ledByOne(2, 1, [7])).toEqual([
      { partition: 0, replicas: [7] },
      { partition: 1, replicas: [7] },
    ]);
  });
});
