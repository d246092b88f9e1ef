import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@hookline/testing';
import { DEADLINE_MS, RunnerRig } from './testing/runner-rig.js';

/** How often each id occurs, for those that occur more than once. */
export function repeats(ids: readonly string[]): string[] {
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

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

  it('commits no offset past a record that is not complete, and never one that was, twice, after a restart', async () => {
    const topic = await rig.topic(1);
    const first = rig.runner([topic]);
    first.log.hold = ({ offset }) => offset === 3 || offset === 7;
    const ids = await rig.produce(topic, 0, 10);
    await first.runner.start();
    await first.log.has(ids);
    await rig.committedUpTo(topic, 0, 3);
    await waitUntil(async () => (await rig.committed(topic, 0)).metadata !== '', {
      deadlineMs: DEADLINE_MS,
      what: 'metadata to be committed',
    });
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
    first.log.release();
    await stopped;
    expect(first.log.ids().sort()).toEqual(before.flat().sort());

    const second = rig.runner([topic]);
    await second.runner.start();
    await second.log.has(after.flat());
    expect(second.log.ids().sort()).toEqual(after.flat().sort());
  });
});
