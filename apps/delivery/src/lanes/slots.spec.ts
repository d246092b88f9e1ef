import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

class Works {
  readonly begun: string[] = [];
  private readonly ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  readonly begin = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      this.begun.push(name);
      this.ends.set(name, { resolve, reject });
    });

  async end(name: string, error?: Error): Promise<void> {
    const { resolve, reject } = this.ends.get(name) as { resolve: () => void; reject: (error: Error) => void };
    if (error) reject(error);
    else resolve();
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('are so many over all records, which are served in turn', async () => {
    const slots = new Slots(2);
    const works = new Works();
    const one = slots.each(['a1', 'a2', 'a3', 'a4'], works.begin);
    const other = slots.each(['b1', 'b2'], works.begin);
    expect(works.begun).toEqual(['a1', 'a2']);
    await works.end('a1');
    await works.end('a2');
    expect(works.begun).toEqual(['a1', 'a2', 'a3', 'b1']);
    await works.end('a3');
    await works.end('b1');
    for (const name of ['a4', 'b2']) await works.end(name);
    await Promise.all([one, other]);
    expect(works.begun).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
  });

  it('are given back by what fails, and all is tried before it is told', async () => {
    const slots = new Slots(1);
    const works = new Works();
    const all = slots.each(['a', 'b'], works.begin);
    const told = expect(all).rejects.toThrow('no room');
    await works.end('a', new Error('no room'));
    expect(works.begun).toEqual(['a', 'b']);
    await works.end('b');
    await told;
    const later = slots.each(['c'], works.begin);
    await works.end('c');
    await later;
  });
});
