import { describe, expect, it } from '@jest/globals';
import { NotDurable, type Appended, type Assignment, type OutgoingRecord, type Output } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { NotOwner, OrderedFeed } from './ordered-feed.js';

/** Appends what it is given, in order, unless it is told to refuse or to hold. */
class FakeLog implements Output {
  readonly written: string[] = [];
  refuse: (id: string) => NotDurable | undefined = () => undefined;
  hold = false;
  private readonly held: (() => void)[] = [];

  produce({ key }: OutgoingRecord): Promise<Appended> {
    const id = String(key);
    const refusal = this.refuse(id);
    if (refusal) return Promise.reject(refusal);
    this.written.push(id);
    const appended = { partition: 0, offset: this.written.length };
    return this.hold ? new Promise((resolve) => this.held.push(() => resolve(appended))) : Promise.resolve(appended);
  }

  release(): void {
    this.hold = false;
    for (const each of this.held.splice(0)) each();
  }
}

function rig() {
  const log = new FakeLog();
  const clock = new TestClock();
  const revoked = new AbortController();
  const assignment = { topic: 't', partition: 0, signal: revoked.signal } as unknown as Assignment;
  const lease = { valid: true };
  const feed = new OrderedFeed(log, () => lease.valid && !revoked.signal.aborted, clock, silentLogger);
  const done: number[] = [];
  const failed: Error[] = [];
  const send = (...offsets: number[]): void => {
    for (const offset of offsets)
      feed
        .send(assignment, offset, { topic: 'events', key: String(offset), value: null })
        .then(() => done.push(offset))
        .catch((error: Error) => failed.push(error));
  };
  return { log, clock, revoked, lease, feed, send, done, failed };
}

describe('OrderedFeed', () => {
  it('sends what waits together, and the next only when that is acknowledged', async () => {
    const { log, clock, send, done } = rig();
    log.hold = true;
    send(1, 2, 3);
    await clock.advanceAsync(0);
    send(4, 5);
    await clock.advanceAsync(0);
    expect(log.written).toEqual(['1', '2', '3']);
    expect(done).toEqual([]);
    log.release();
    await clock.advanceAsync(0);
    expect(log.written).toEqual(['1', '2', '3', '4', '5']);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });

  it('writes nothing behind one that has no room, and goes back to it', async () => {
    const { log, clock, feed, send, done } = rig();
    let full = true;
    log.refuse = (id) => (id === '2' && full ? new NotDurable('overloaded', 'full') : undefined);
    send(1, 2, 3);
    await clock.advanceAsync(0);
    expect(log.written).toEqual(['1']);
    expect(done).toEqual([1]);
    expect(feed.problem()).toContain('t:0:2 is not taken: full');
    await clock.advanceAsync(500);
    expect(log.written).toEqual(['1']);
    full = false;
    await clock.advanceAsync(10_000);
    expect(log.written).toEqual(['1', '2', '3']);
    expect(feed.problem()).toBeUndefined();
  });

  it('sends again from one that fails later, also what was acknowledged behind it', async () => {
    const { log, clock, send, done } = rig();
    const original = log.produce.bind(log);
    let once = true;
    log.produce = async (record) => {
      if (record.key !== '2' || !once) return original(record);
      once = false;
      // Everything behind it has been given to the log by then.
      await new Promise((resolve) => setImmediate(resolve));
      throw new NotDurable('refused', 'not now');
    };
    send(1, 2, 3);
    await clock.advanceAsync(0);
    await clock.advanceAsync(10_000);
    expect(log.written).toEqual(['1', '3', '2', '3']);
    expect(done).toEqual([1, 2, 3]);
  });

  it('sends nothing without its lease, and gives up when the partition is taken away', async () => {
    const { log, clock, revoked, lease, send, failed } = rig();
    lease.valid = false;
    send(1);
    await clock.advanceAsync(60_000);
    expect(log.written).toEqual([]);
    revoked.abort();
    await clock.advanceAsync(10_000);
    expect(failed).toEqual([expect.any(NotOwner)]);
    expect(log.written).toEqual([]);
  });

  it('ends with the output', async () => {
    const { log, clock, send, failed } = rig();
    log.refuse = () => new NotDurable('stopped', 'over');
    send(1, 2);
    await clock.advanceAsync(0);
    expect(failed).toEqual([expect.any(NotDurable), expect.any(NotDurable)]);
  });
});
