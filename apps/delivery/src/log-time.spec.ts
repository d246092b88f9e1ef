import { describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { LogClock, type OutgoingRecord } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import { LogTime } from './log-time.js';

const MINUTE_MS = 60_000;

describe('LogTime', () => {
  const setUp = () => {
    const wall = new TestClock();
    const clock = new LogClock(wall, () => wall.now());
    const written: OutgoingRecord[] = [];
    const produce = (record: OutgoingRecord) => {
      written.push(record);
      clock.learn(1, wall.now());
      return Promise.resolve({ partition: 0, offset: written.length });
    };
    return { wall, clock, written, time: new LogTime({ produce }, clock) };
  };

  it('asks before anything else, with a record that compaction removes', async () => {
    const { clock, written, time } = setUp();
    await time.start();
    expect(written).toEqual([{ topic: TOPICS.progress, key: 'clock', value: null }]);
    expect(clock.silentMs).toBe(0);
  });

  it('asks again only where nothing was heard for ten minutes', async () => {
    const { wall, clock, written, time } = setUp();
    await time.start();
    for (let minute = 0; minute < 60; minute++) {
      await wall.advanceAsync(MINUTE_MS);
      clock.learn(1, wall.now());
    }
    expect(written).toHaveLength(1);
    await wall.advanceAsync(10 * MINUTE_MS);
    expect(written).toHaveLength(2);
    await wall.advanceAsync(60 * MINUTE_MS);
    expect(written).toHaveLength(8);
  });

  it('ends when it is stopped', async () => {
    const { wall, written, time } = setUp();
    await time.start();
    time.stop();
    await wall.advanceAsync(60 * MINUTE_MS);
    expect(written).toHaveLength(1);
    expect(wall.pending).toBe(0);
  });
});
