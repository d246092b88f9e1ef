import { describe, expect, it } from '@jest/globals';
import { distinct } from './distinct.js';

describe('distinct', () => {
  const at = (offset: number, id: string, data = Buffer.from(id)) => ({ id, offset, data });
  const idOf = ({ id }: { id: string }): string => id;
  const dataOf = ({ data }: { data: Buffer }): Buffer => data;

  it('leaves each id once, in the order in which they came first', () => {
    const all = [at(0, 'b'), at(1, 'a'), at(2, 'b'), at(3, 'c'), at(4, 'a')];
    expect(distinct(all, idOf, dataOf).map(({ offset }) => offset)).toEqual([0, 1, 3]);
    expect(distinct(['x', 'y', 'x'], String)).toEqual(['x', 'y']);
  });

  it('takes nothing for a repeat that has other bytes', () => {
    expect(() => distinct([at(0, 'a'), at(1, 'a', Buffer.from('A'))], idOf, dataOf)).toThrow(/^a came again/);
    expect(() => distinct([at(0, 'a'), at(1, 'a')], idOf)).toThrow(/^a came again/);
  });
});
