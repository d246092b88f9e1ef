import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StreamNews, StreamPosition } from '@hookline/persistence';
import { TestClock } from '@hookline/testing';
import { WaitingRoom, type Waited } from './waiting-room.js';

const POLL_MS = 250;
const LIMITS = { pollMs: POLL_MS, waiting: 4, tenantWaiting: 2 };

/** A log of one partition, whose events are `tenant type`; it counts what it is asked. */
class FakeHistory {
  readonly log: string[] = [];
  asked = { recorded: 0, news: 0 };
  failure: Error | undefined;
  gap = false;

  async recorded(): Promise<StreamPosition> {
    this.asked.recorded += 1;
    if (this.failure) throw this.failure;
    return new Map([[0, this.log.length]]);
  }

  async news(position: StreamPosition, tenants: readonly string[]): Promise<StreamNews[]> {
    this.asked.news += 1;
    const found = this.log
      .slice(position.get(0))
      .map((event) => event.split(' ') as [string, string])
      .filter(([tenant]) => tenants.includes(tenant))
      .map(([tenantId, type]) => ({ tenantId, type }));
    return [{ partition: 0, upto: this.log.length, found, gap: this.gap }];
  }
}

describe('the waiting room', () => {
  let clock: TestClock;
  let history: FakeHistory;
  let room: WaitingRoom;
  const forever = new AbortController().signal;

  beforeEach(() => {
    clock = new TestClock();
    history = new FakeHistory();
    room = new WaitingRoom(history, clock, LIMITS);
  });

  const wait = (tenantId: string, { types = ['*'], at = 0, ms = 20_000, signal = forever } = {}): Promise<Waited> =>
    room.wait({ tenantId, types, position: new Map([[0, at]]) }, ms, signal);

  it('wakes whom an event concerns, by tenant and type, and takes the others past it', async () => {
    const one = wait('a', { types: ['order.*'] });
    const other = wait('b');
    const typed = wait('a', { types: ['invoice'] });
    history.log.push('a order.created', 'c x');
    await clock.advanceAsync(POLL_MS);
    expect(await one).toMatchObject({ news: true });
    expect(room.size).toBe(2);
    await clock.advanceAsync(20_000);
    for (const waited of [await other, await typed])
      expect(waited).toEqual({ news: false, position: new Map([[0, 2]]) });
  });

  it('asks once for all who wait, only where the recorder is while nothing comes, and nothing while nobody waits', async () => {
    const all = [wait('a'), wait('a'), wait('b'), wait('c')];
    await clock.advanceAsync(10 * POLL_MS);
    expect(history.asked).toEqual({ recorded: 10, news: 0 });
    history.log.push('x y');
    await clock.advanceAsync(4 * POLL_MS);
    expect(history.asked).toEqual({ recorded: 14, news: 1 });
    await clock.advanceAsync(20_000);
    await Promise.all(all);
    const { recorded } = history.asked;
    await clock.advanceAsync(20_000);
    expect(history.asked.recorded).toBe(recorded);
    expect(clock.pending).toBe(0);
  });

  it('wakes at once whoever came after the event, and everybody for a gap', async () => {
    history.log.push('a x');
    const late = wait('a');
    await clock.advanceAsync(POLL_MS);
    expect(await late).toMatchObject({ news: true });
    const other = wait('b', { at: 1 });
    history.gap = true;
    history.log.push('a x');
    await clock.advanceAsync(POLL_MS);
    expect(await other).toMatchObject({ news: true });
  });

  it('lets one go on that is further than the recorder, and does not take it back', async () => {
    const ahead = wait('a', { at: 9 });
    const other = wait('b');
    history.log.push('b x');
    await clock.advanceAsync(POLL_MS);
    expect(await other).toMatchObject({ news: true });
    await clock.advanceAsync(20_000);
    expect(await ahead).toEqual({ news: false, position: new Map([[0, 9]]) });
  });

  it('has room for so many, and for so many of one tenant', async () => {
    void wait('a');
    void wait('a');
    const refused = (status: number): unknown =>
      expect.objectContaining({ problem: expect.objectContaining({ status }), headers: { 'retry-after': '5' } });
    expect(() => wait('a')).toThrow(refused(429) as Error);
    void wait('b');
    void wait('c');
    expect(() => wait('d')).toThrow(refused(503) as Error);
    room.stop();
    expect(room.size).toBe(0);
  });

  it('gives a place back at once when its client has gone', async () => {
    const gone = new AbortController();
    const one = wait('a', { signal: gone.signal });
    gone.abort();
    expect(await one).toMatchObject({ news: false });
    expect(room.size).toBe(0);
    expect(clock.pending).toBe(0);
    expect(await wait('a', { signal: gone.signal })).toMatchObject({ news: false });
  });

  it('fails all who wait when the database does not answer, and works when it is back', async () => {
    const all = [wait('a'), wait('b')];
    history.failure = new Error('away');
    const failed = Promise.all(all.map((one) => expect(one).rejects.toThrow('away')));
    await clock.advanceAsync(POLL_MS);
    await failed;
    history.failure = undefined;
    const one = wait('a');
    history.log.push('a x');
    await clock.advanceAsync(POLL_MS);
    expect(await one).toMatchObject({ news: true });
  });

  it('answers everybody when it is closed, and whoever comes later', async () => {
    const one = wait('a');
    room.stop();
    expect(await one).toMatchObject({ news: false });
    expect(await wait('a')).toMatchObject({ news: false });
    expect(clock.pending).toBe(0);
  });
});
