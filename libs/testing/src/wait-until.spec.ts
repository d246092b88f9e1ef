import { describe, expect, it } from '@jest/globals';
import { waitUntil } from './wait-until.js';

describe('waitUntil', () => {
  const soon = { deadlineMs: 1, what: 'it' };

  it('gives what the condition gives at last, also 0 and nothing written', async () => {
    let times = 0;
    expect(await waitUntil(() => (times += 1) > 3 && times, { ...soon, deadlineMs: 60_000 })).toBe(4);
    expect(await waitUntil(() => 0, soon)).toBe(0);
    expect(await waitUntil(() => '', soon)).toBe('');
  });

  it('says at its deadline what it waited for, how the condition failed last, and what was there instead', async () => {
    await expect(waitUntil(() => false, soon)).rejects.toThrow(/^waited 1 ms for it$/);
    const fails = (): never => {
      throw new Error('the broker is away');
    };
    await expect(waitUntil(fails, soon)).rejects.toThrow(/^waited 1 ms for it; last it failed: the broker is away$/);
    const seen = async (): Promise<object> => ({ events: 2 });
    await expect(waitUntil(() => undefined, { ...soon, seen })).rejects.toThrow(/for it; seen: {"events":2}$/);
    await expect(waitUntil(() => null, { ...soon, seen: fails })).rejects.toThrow(
      /what there is can not be seen: the broker is away$/,
    );
  });
});
