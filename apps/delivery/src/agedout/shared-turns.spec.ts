import { describe, expect, it } from '@jest/globals';
import { sharedTurns } from './shared-turns.js';

describe('sharedTurns', () => {
  /** Turns that the test ends, in their order. */
  function turns(): { ask: () => Promise<number>; begun: () => number; end: (error?: Error) => Promise<void> } {
    const open: { resolve: (turn: number) => void; reject: (error: Error) => void }[] = [];
    let ended = 0;
    const ask = sharedTurns(() => new Promise<number>((resolve, reject) => open.push({ resolve, reject })));
    return {
      ask,
      begun: () => open.length,
      end: async (error) => {
        const turn = open[ended];
        ended += 1;
        if (error) turn?.reject(error);
        else turn?.resolve(ended);
        await new Promise(setImmediate);
      },
    };
  }

  it('many who ask at the same time, as for the gaps after a long outage, cost two requests, and no answer is older than its question', async () => {
    const { ask, begun, end } = turns();
    const first = ask();
    const others = Array.from({ length: 100 }, ask);
    expect(begun()).toBe(1);
    await end();
    expect(await first).toBe(1);
    expect(begun()).toBe(2);
    // Too late for the turn that is under way.
    const later = ask();
    await end();
    expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
    await end();
    expect(await later).toBe(3);
    expect(begun()).toBe(3);
  });

  it('fails those of one turn, and the next is another try', async () => {
    const { ask, end } = turns();
    const first = expect(ask()).rejects.toThrow('away');
    const second = ask();
    await end(new Error('away'));
    await first;
    await end();
    expect(await second).toBe(2);
    const third = ask();
    await end();
    expect(await third).toBe(3);
  });
});
