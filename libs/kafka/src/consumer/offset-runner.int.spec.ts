import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REST_MS } from './offset-runner.js';
import { RunnerRig } from './testing/runner-rig.js';

describe('OffsetRunner', () => {
  let rig: RunnerRig;
  beforeEach(async () => {
    rig = await RunnerRig.open();
  });
  afterEach(() => rig.close());

  it('begins at the start of the log where nothing was committed, and hands over each record once, in order', async () => {
    const topic = await rig.topic(2);
    const ids = [await rig.produce(topic, 0, 300), await rig.produce(topic, 1, 200)];
    const { runner, log } = rig.runner([topic]);
    await runner.start();
    await log.has(ids.flat());
    for (const partition of [0, 1]) {
      const order = log.all.filter(({ record }) => record.partition === partition).map(({ id }) => id);
      expect(order).toEqual(ids[partition]);
    }
    await rig.committedUpTo(topic, 0, 300);
    await rig.committedUpTo(topic, 1, 200);
  });

  it('commits no offset past a record that is not complete, and tells in the metadata what is complete above', async () => {
    const topic = await rig.topic(1);
    const { runner, log } = rig.runner([topic]);
    log.hold = ({ offset }) => offset === 3 || offset === 7;
    const ids = await rig.produce(topic, 0, 10);
    await runner.start();
    await log.has(ids);
    await rig.committedAbove(topic, 0, 3, [
      { from: 4, to: 7 },
      { from: 8, to: 10 },
    ]);
    log.release(({ offset }) => offset === 3);
    await rig.committedAbove(topic, 0, 7, [{ from: 8, to: 10 }]);
  });

  it('fetches what may rest in lumps, now and then, and all of it', async () => {
    const topic = await rig.topic(2);
    const lumps: number[] = [];
    const runner = rig.runner([topic], {
      mayRest: () => true,
      handler: (records) => {
        lumps.push(performance.now());
        return runner.log.handle(records);
      },
    });
    await runner.runner.start();
    const ids: string[] = [];
    for (let i = 0; i < 100; i++) ids.push(...(await rig.produce(topic, i % 2, 1)));
    await runner.log.has(ids);
    expect([...runner.log.ids()].sort()).toEqual(ids.sort());
    // However quick the machine is: two lumps of a partition have a look between them.
    const looks = ((lumps.at(-1) as number) - (lumps[0] as number)) / REST_MS + 2;
    expect(lumps.length).toBeLessThanOrEqual(2 * looks + 2);
    await rig.committedUpTo(topic, 0, 50);
    await rig.committedUpTo(topic, 1, 50);
  });

  it('a graceful stop waits for what is in flight and repeats nothing', async () => {
    const topic = await rig.topic(3);
    const first = rig.runner([topic]);
    first.log.hold = ({ offset }) => offset % 2 === 0;
    await first.runner.start();
    const before = await Promise.all([0, 1, 2].map((partition) => rig.produce(topic, partition, 50)));
    await first.log.has(before.flat());
    expect(first.log.held()).toHaveLength(75);
    const stopped = first.runner.stop();
    const after = await Promise.all([0, 1, 2].map((partition) => rig.produce(topic, partition, 50)));
    // It stays a member, and takes nothing, for as long as something is in flight.
    for (let look = 0; look < 100; look++) expect(await rig.members()).toBe(1);
    first.log.release();
    await stopped;
    expect(await rig.members()).toBe(0);
    expect(first.log.ids().sort()).toEqual(before.flat().sort());

    const second = rig.runner([topic]);
    await second.runner.start();
    await second.log.has(after.flat());
    expect(second.log.ids().sort()).toEqual(after.flat().sort());
  });

  it('stops before it was started, and twice', async () => {
    const { runner } = rig.runner([await rig.topic(1)]);
    await Promise.all([runner.stop(), runner.stop()]);
    await runner.start();
    expect(runner.stats().partitions).toEqual([]);
  });

  it('tries a rejected record again, alone, while the offset waits for it', async () => {
    const topic = await rig.topic(1);
    const log = rig.runner([topic]).log;
    let failures = 3;
    const { runner } = rig.runner([topic], {
      retry: { firstMs: 5, mostMs: 20 },
      handler: (records) => {
        const promises = log.handle(records);
        return records.map(({ offset }, i) =>
          offset === 4 && failures-- > 0 ? Promise.reject(new Error('not now')) : (promises[i] as Promise<void>),
        );
      },
    });
    const ids = await rig.produce(topic, 0, 10);
    await runner.start();
    await rig.committedUpTo(topic, 0, 10);
    expect(log.ids().filter((id) => id === ids[4])).toHaveLength(4);
    expect([...log.ids()].sort()).toEqual([...ids, ids[4], ids[4], ids[4]].sort());
  });

  it('survives a handler that throws, and one that forgets a promise', async () => {
    const topic = await rig.topic(1);
    const log = rig.runner([topic]).log;
    let call = 0;
    const { runner } = rig.runner([topic], {
      retry: { firstMs: 5, mostMs: 20 },
      handler: (records) => {
        call++;
        if (call === 1) throw new Error('a bug');
        return log.handle(records).slice(0, call === 2 ? 0 : undefined);
      },
    });
    const ids = await rig.produce(topic, 0, 5);
    await runner.start();
    await rig.committedUpTo(topic, 0, 5);
    expect(new Set(log.ids())).toEqual(new Set(ids));
  });
});
