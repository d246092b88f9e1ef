import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@hookline/testing';
import type { Output } from '../producer/output.js';
import { WatermarkLog } from '../progress/watermark-log.js';
import type { AgedOut } from './runner-observer.js';
import { DEADLINE_MS, RunnerRig, type RunnerUnderTest } from './testing/runner-rig.js';

describe('work that the log let go of', () => {
  let rig: RunnerRig;
  beforeEach(async () => {
    rig = await RunnerRig.open();
  });
  afterEach(() => rig.close());

  /** Reads a topic of 40 up to offset 10, and stops; of what it told the witness only the last counts. */
  async function readTo10(topic: string, witness: WatermarkLog): Promise<string[]> {
    const first = rig.runner([topic], { drainMs: 0, witness, witnessIntervalMs: 100 });
    first.log.hold = ({ offset }) => offset >= 10;
    await first.runner.start();
    const ids = await rig.produce(topic, 0, 40);
    await first.log.has(ids);
    await rig.committedUpTo(topic, 0, 10);
    await first.runner.stop();
    return ids;
  }

  async function witnessed(witness: WatermarkLog, topic: string): Promise<number | undefined> {
    return (await witness.read(rig.admin)).get(`${topic}/0`)?.watermark;
  }

  /** As kafkajs does when an offset is out of range: −2, and no metadata. */
  async function destroyEvidence(topic: string): Promise<void> {
    await waitUntil(async () => (await rig.members()) === 0, { deadlineMs: DEADLINE_MS, what: 'an empty group' });
    await rig.admin.setOffsets({ groupId: rig.groupId, topic, partitions: [{ partition: 0, offset: '-2' }] });
  }

  function second(topic: string, witness: WatermarkLog, gaps: AgedOut[]): RunnerUnderTest {
    return rig.runner([topic], { witness, observer: { agedOut: (gap) => gaps.push(gap) } });
  }

  it('is reported though kafkajs has destroyed what was committed, by the watermark that was witnessed', async () => {
    const [topic, progress] = [await rig.topic(1), await rig.topic(1)];
    const newWitness = (): WatermarkLog => new WatermarkLog(rig.kafka, rig.output, rig.groupId, progress);
    const ids = await readTo10(topic, newWitness());
    expect(await witnessed(newWitness(), topic)).toBe(10);
    await rig.deleteBelow(topic, 0, 30);
    await destroyEvidence(topic);
    const gaps: AgedOut[] = [];
    const { runner, log } = second(topic, newWitness(), gaps);
    await runner.start();
    await log.has(ids.slice(30));
    expect(log.ids()).toEqual(ids.slice(30));
    expect(gaps).toEqual([{ topic, partition: 0, from: 10, to: 30, since: expect.any(Number) }]);
  });

  it('was none where the evidence is destroyed and the log has everything: it is read again, not passed over', async () => {
    const [topic, progress] = [await rig.topic(1), await rig.topic(1)];
    const newWitness = (): WatermarkLog => new WatermarkLog(rig.kafka, rig.output, rig.groupId, progress);
    const ids = await readTo10(topic, newWitness());
    await destroyEvidence(topic);
    const gaps: AgedOut[] = [];
    const { runner, log } = second(topic, newWitness(), gaps);
    await runner.start();
    await log.has(ids);
    expect(log.ids()).toEqual(ids);
    expect(gaps).toEqual([]);
  });

  it('is not passed before it is written down: while that fails nothing of the partition is read', async () => {
    const [topic, progress] = [await rig.topic(1), await rig.topic(1)];
    const witness = new WatermarkLog(rig.kafka, rig.output, rig.groupId, progress);
    const ids = await readTo10(topic, witness);
    await rig.deleteBelow(topic, 0, 30);
    const told: { gap: AgedOut; handled: number }[] = [];
    let fails = 3;
    const { runner, log } = rig.runner([topic], {
      witness,
      onAgedOut: async (gap) => {
        told.push({ gap, handled: log.all.length });
        if (fails-- > 0) throw new Error('not durable');
        return gap;
      },
    });
    await runner.start();
    await log.has(ids.slice(30));
    expect(told.map(({ gap: { from, to }, handled }) => ({ from, to, handled }))).toEqual(
      Array.from({ length: 4 }, () => ({ from: 10, to: 30, handled: 0 })),
    );
  });

  it('does not keep a group from reading when the witness can not be written to', async () => {
    const topic = await rig.topic(1);
    const refusing: Output = { produce: () => Promise.reject(new Error('away')) };
    const witness = new WatermarkLog(rig.kafka, refusing, rig.groupId, await rig.topic(1));
    const { runner, log } = rig.runner([topic], { witness, witnessIntervalMs: 50 });
    await runner.start();
    await log.has(await rig.produce(topic, 0, 20));
    await rig.committedUpTo(topic, 0, 20);
  });
});
