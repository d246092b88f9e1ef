import { describe, expect, it } from '@jest/globals';
import { InFlight } from './in-flight.js';

const never = new AbortController().signal;

describe('InFlight', () => {
  it('starts no more than its bytes allow, and goes on as work ends', async () => {
    const inFlight = new InFlight(10_000, never);
    const ends: (() => void)[] = [];
    const work = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    await inFlight.add(4_000, work);
    let third = false;
    await inFlight.add(3_000, work);
    const adding = inFlight.add(4_000, work).then(() => (third = true));
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await adding;
    expect(third).toBe(true);
    for (const end of ends) end();
    await inFlight.settled();
  });

  it('lets one that is too large through, alone', async () => {
    const inFlight = new InFlight(1, never);
    let done = 0;
    const work = async (): Promise<void> => void (done += 1);
    await inFlight.add(1_000_000, work);
    await inFlight.add(1_000_000, work);
    await inFlight.settled();
    expect(done).toBe(2);
  });

  it('fails with the first failure', async () => {
    const inFlight = new InFlight(10_000, never);
    await inFlight.add(1, () => Promise.reject(new Error('refused')));
    await expect(inFlight.settled()).rejects.toThrow('refused');
    await expect(inFlight.add(1, () => Promise.resolve())).rejects.toThrow('refused');
  });

  it('waits no longer than its signal', async () => {
    const stop = new AbortController();
    const inFlight = new InFlight(10_000, stop.signal);
    await inFlight.add(1, () => new Promise(() => undefined));
    const settled = inFlight.settled();
    stop.abort(new Error('stopped'));
    await expect(settled).rejects.toThrow('stopped');
  });
});
