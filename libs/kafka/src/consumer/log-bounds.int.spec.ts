import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@hookline/testing';
import type { AgedOut } from './runner-observer.js';
import { DEADLINE_MS, RunnerRig } from './testing/runner-rig.js';

describe('where a partition is read from', () => {
  let rig: RunnerRig;
  beforeEach(async () => {
    rig = await RunnerRig.open();
  });
  afterEach(() => rig.close());

  it('looking back hands over what is done first, as done, and acts on nothing of it', async () => {
    const topic = await rig.topic(1);
    const first = rig.runner([topic], { drainMs: 0 });
    first.log.hold = ({ offset }) => offset === 10 || offset === 14;
    await first.runner.start();
    const ids = await rig.produce(topic, 0, 20);
    await first.log.has(ids);
    await first.runner.stop();

    const assigned: object[] = [];
    const second = rig.runner([topic], {
      lookBack: (_topic, _partition, watermark) => Promise.resolve(watermark - 4),
      onAssigned: (_assignment, progress) => assigned.push(progress),
    });
    await second.runner.start();
    await second.log.has(ids.slice(6));
    expect(assigned).toMatchObject([{ watermark: 10, start: 6, end: 20, completeTo: 20, isFirst: false }]);
    expect(second.log.ids()).toEqual(ids.slice(6));
    expect(second.log.all.filter(({ record }) => !record.done).map(({ id }) => id)).toEqual([ids[10], ids[14]]);
    await rig.committedUpTo(topic, 0, 20);
  });

  it('an age-out is reported with its exact bounds, and reading goes on from the start of the log', async () => {
    const topic = await rig.topic(1);
    const first = rig.runner([topic], { drainMs: 0 });
    first.log.hold = ({ offset }) => offset >= 5 && offset !== 8;
    await first.runner.start();
    const ids = await rig.produce(topic, 0, 40);
    await first.log.has(ids);
    await first.runner.stop();
    await rig.deleteBelow(topic, 0, 30);

    const gaps: AgedOut[] = [];
    const second = rig.runner([topic], { observer: { agedOut: (gap) => gaps.push(gap) } });
    await second.runner.start();
    await second.log.has(ids.slice(30));
    await rig.committedUpTo(topic, 0, 40);
    expect(second.log.ids()).toEqual(ids.slice(30));
    expect(gaps).toEqual([
      { topic, partition: 0, from: 5, to: 8 },
      { topic, partition: 0, from: 9, to: 30 },
    ]);
  });

  it('an age-out under a running worker is reported too, and the committed offset stays what it was', async () => {
    const topic = await rig.topic(1);
    const gaps: AgedOut[] = [];
    const { runner, log } = rig.runner([topic], { observer: { agedOut: (gap) => gaps.push(gap) } });
    log.hold = ({ offset }) => offset === 3;
    const ids = await rig.produce(topic, 0, 5);
    await runner.start();
    await log.has(ids);
    await rig.committedAbove(topic, 0, 3, [{ from: 4, to: 5 }]);
    runner.pauseIntake('test');
    ids.push(...(await rig.produce(topic, 0, 20)));
    await rig.deleteBelow(topic, 0, 15);
    runner.resumeIntake('test');
    await log.has(ids.slice(15));
    expect(gaps).toEqual([{ topic, partition: 0, from: 5, to: 15 }]);
    await rig.committedAbove(topic, 0, 3, [{ from: 4, to: 25 }]);
    log.release();
    await rig.committedUpTo(topic, 0, 25);
    expect(log.ids()).toEqual([...ids.slice(0, 5), ...ids.slice(15)]);
  });

  it('progress past the end of the log: the topic was made again, and is read from its start', async () => {
    const topic = await rig.topic(1);
    const ids = await rig.produce(topic, 0, 5);
    const found: object[] = [];
    const { runner, log } = rig.runner([topic], {
      positions: { read: () => Promise.resolve(new Map([[`${topic}/0`, 1_000]])) },
      observer: { beyondEnd: (each) => found.push(each) },
    });
    await runner.start();
    await log.has(ids);
    expect(log.ids()).toEqual(ids);
    expect(found).toEqual([{ topic, partition: 0, watermark: 1_000, end: 5 }]);
  });

  it('a partition is paused at its high-water mark and read on at half of it, the others meanwhile', async () => {
    const topic = await rig.topic(2);
    const { runner, log } = rig.runner([topic], { highWater: { records: 100 }, maxBytesPerPartition: 4_096 });
    log.hold = ({ partition }) => partition === 0;
    const slow: string[] = [];
    for (let i = 0; i < 20; i++) slow.push(...(await rig.produce(topic, 0, 50)));
    await runner.start();
    const stats = () => runner.stats().partitions.find(({ partition }) => partition === 0);
    await waitUntil(() => stats()?.paused.includes('high-water'), { deadlineMs: DEADLINE_MS, what: 'a pause' });
    const quick = await rig.produce(topic, 1, 500);
    await log.has(quick);
    expect(stats()?.paused).toEqual(['high-water']);
    // One fetch above the mark, at most.
    expect(log.held().length).toBeLessThan(300);
    expect(log.held().length).toBeGreaterThanOrEqual(100);
    log.hold = () => false;
    log.release();
    await log.has(slow);
    await rig.committedUpTo(topic, 0, 1_000);
    expect(log.ids().filter((id) => slow.includes(id))).toEqual(slow);
  });

  it('nothing is taken while intake is paused from outside, and everything is limited together', async () => {
    const topic = await rig.topic(2);
    const { runner, log } = rig.runner([topic], { maxInFlightTotal: 50, maxBytesPerPartition: 2_048 });
    log.hold = () => true;
    runner.pauseIntake('the view is stale');
    await runner.start();
    const ids = [...(await rig.produce(topic, 0, 200)), ...(await rig.produce(topic, 1, 200))];
    await rig.owns(runner, topic, 2);
    runner.pauseIntake('another reason');
    runner.resumeIntake('the view is stale');
    expect(log.all).toEqual([]);
    runner.resumeIntake('another reason');
    await waitUntil(() => runner.stats().inFlight >= 50, { deadlineMs: DEADLINE_MS, what: 'the common limit' });
    expect(runner.stats().partitions.map(({ paused }) => paused)).toEqual([['total'], ['total']]);
    log.hold = () => false;
    log.release();
    await log.has(ids);
    await rig.committedUpTo(topic, 0, 200);
    await rig.committedUpTo(topic, 1, 200);
    expect([...log.ids()].sort()).toEqual(ids.sort());
  });
});
