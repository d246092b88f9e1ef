import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testKafkaBrokers } from '@hookline/testing';
import { RunnerRig, SHORT_SESSION_MS, testKafka } from './testing/runner-rig.js';
import { SwitchedNetwork } from './testing/switched-network.js';

/** The runner that crashes is cut off: no last commit, no leaving, and the brokers notice only by its silence. */
describe('a crash', () => {
  let rig: RunnerRig;
  let network: SwitchedNetwork;
  beforeEach(async () => {
    rig = await RunnerRig.open();
    network = await SwitchedNetwork.start(testKafkaBrokers());
  });
  afterEach(async () => {
    network.comeBack();
    await rig.close();
    await network.stop();
  });

  it('repeats what was in flight or completed since the last commit, and nothing that the metadata calls complete', async () => {
    const topic = await rig.topic(1);
    const crashed = rig.runner([topic], {
      kafka: testKafka(network.socketFactory),
      sessionTimeoutMs: SHORT_SESSION_MS,
    });
    crashed.log.hold = ({ offset }) => offset % 3 === 2;
    await crashed.runner.start();
    const ids = await rig.produce(topic, 0, 60);
    await crashed.log.has(ids);
    const complete = Array.from({ length: 19 }, (_, i) => ({ from: 3 * i + 3, to: 3 * i + 5 }));
    await rig.committedAbove(topic, 0, 2, complete);
    network.goDead();
    // Completed, and nobody will ever learn of it.
    crashed.log.release(({ offset }) => offset < 12);
    const later = await rig.produce(topic, 0, 10);

    const next = rig.runner([topic]);
    await next.runner.start();
    await next.log.has(later);
    await rig.committedUpTo(topic, 0, 70);
    expect([...next.log.ids()].sort()).toEqual([...ids.filter((_, i) => i % 3 === 2), ...later].sort());
  });

  it('the next owner hands over nothing before it has restored the progress', async () => {
    const topic = await rig.topic(2);
    const ids = [...(await rig.produce(topic, 0, 20)), ...(await rig.produce(topic, 1, 20))];
    let open!: () => void;
    let asked!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    let refusals = 2;
    const { runner, log } = rig.runner([topic], {
      retry: { firstMs: 5, mostMs: 20 },
      positions: {
        async read() {
          if (refusals-- > 0) throw new Error('the store is down');
          asked();
          await opened;
          return new Map([[`${topic}/0`, 15]]);
        },
      },
    });
    await runner.start();
    await wasAsked;
    expect(runner.stats().partitions.map(({ paused }) => paused)).toEqual([['restoring'], ['restoring']]);
    expect(log.all).toEqual([]);
    open();
    await log.has(ids.slice(15));
    expect([...log.ids()].sort()).toEqual(ids.slice(15).sort());
  });
});
