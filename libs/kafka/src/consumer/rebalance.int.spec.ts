import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testKafkaBrokers, waitUntil } from '@hookline/testing';
import type { LogRecord } from './record.js';
import { DEADLINE_MS, RunnerRig, SHORT_SESSION_MS, testKafka } from './testing/runner-rig.js';
import { SwitchedNetwork } from './testing/switched-network.js';

describe('partitions that move', () => {
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

  it('a worker that joins repeats what was in flight on the partitions that moved to it, and no more', async () => {
    const topics = [await rig.topic(4), await rig.topic(4)];
    const first = rig.runner(topics);
    // Of each partition the records 0–9 and 30–39 are complete, 10–29 are in flight when the other one comes.
    first.log.hold = ({ offset }) => offset >= 10 && offset < 30;
    await first.runner.start();
    const ids = new Map<string, string[]>();
    for (const topic of topics) {
      for (let partition = 0; partition < 4; partition++) {
        ids.set(`${topic}/${partition}`, await rig.produce(topic, partition, 40));
      }
    }
    await first.log.has([...ids.values()].flat());
    expect(first.log.held()).toHaveLength(8 * 20);

    const second = rig.runner(topics);
    await second.runner.start();
    for (const topic of topics) {
      await rig.owns(second.runner, topic, 2);
      await rig.owns(first.runner, topic, 2);
    }
    const numbersOf = (topic: string) =>
      second.runner
        .stats()
        .partitions.filter((each) => each.topic === topic)
        .map(({ partition }) => partition);
    const moved = numbersOf(topics[0] as string);
    expect(numbersOf(topics[1] as string)).toEqual(moved);

    const inFlightOfMoved = topics.flatMap((topic) =>
      moved.flatMap((partition) => (ids.get(`${topic}/${partition}`) as string[]).slice(10, 30)),
    );
    await second.log.has(inFlightOfMoved);
    const isMoved = ({ partition }: LogRecord) => moved.includes(partition);
    for (const { record } of first.log.held()) expect(record.assignment.signal.aborted).toBe(isMoved(record));
    first.log.release();
    for (const topic of topics) {
      for (let partition = 0; partition < 4; partition++) await rig.committedUpTo(topic, partition, 40);
    }
    expect([...first.log.ids()].sort()).toEqual([...ids.values()].flat().sort());
    expect([...second.log.ids()].sort()).toEqual(inFlightOfMoved.sort());
  });

  it('a revoked owner changes nothing any more: neither the offset nor the metadata of the next owner', async () => {
    const topic = await rig.topic(1);
    const cut = rig.runner([topic], {
      kafka: testKafka(network.socketFactory),
      sessionTimeoutMs: SHORT_SESSION_MS,
      watchdogMs: 600_000,
    });
    cut.log.hold = ({ offset }) => offset >= 5;
    await cut.runner.start();
    const ids = await rig.produce(topic, 0, 20);
    await cut.log.has(ids);
    await rig.committedAbove(topic, 0, 5, []);
    const assignment = await waitUntil(
      () => {
        const last = cut.log.all.at(-1)?.record.assignment as LogRecord['assignment'];
        return cut.runner.isOwner(last) && last;
      },
      { deadlineMs: DEADLINE_MS, what: 'it to be the owner' },
    );

    network.goDead();
    const next = rig.runner([topic]);
    next.log.hold = ({ offset }) => offset === 8;
    await next.runner.start();
    await next.log.has(ids.slice(5));
    const truth = [{ from: 9, to: 20 }];
    await rig.committedAbove(topic, 0, 8, truth);
    // It doesn't know yet that it lost the partition, and must not act all the same.
    expect(assignment.signal.aborted).toBe(false);
    expect(cut.runner.isOwner(assignment)).toBe(false);

    cut.log.release(({ offset }) => offset < 7 || offset > 12);
    network.comeBack();
    await waitUntil(() => assignment.signal.aborted, { deadlineMs: DEADLINE_MS, what: 'the old owner to learn of it' });
    cut.log.release();
    // It is a member again, without a partition: its timer runs, and has nothing of its own to say.
    await waitUntil(() => cut.runner.leaseValid() && cut.runner.stats().partitions.length === 0, {
      deadlineMs: DEADLINE_MS,
      what: 'the old owner to be a member again',
    });
    await rig.committedAbove(topic, 0, 8, truth);
    expect(next.runner.stats().partitions).toHaveLength(1);
    expect([...next.log.ids()].sort()).toEqual(ids.slice(5).sort());
  });

  it('a member that missed a generation begins anew, with what the others did meanwhile', async () => {
    const topic = await rig.topic(1);
    const cut = rig.runner([topic], {
      kafka: testKafka(network.socketFactory),
      // So long that it is lost once only.
      sessionTimeoutMs: 15_000,
      watchdogMs: 600_000,
    });
    cut.log.hold = () => true;
    await cut.runner.start();
    const ids = await rig.produce(topic, 0, 20);
    await cut.log.has(ids);
    network.goDead();
    const other = rig.runner([topic], { drainMs: 0 });
    other.log.hold = ({ offset }) => offset === 12 || offset === 15;
    await other.runner.start();
    await other.log.has(ids);
    await other.runner.stop();
    await rig.committedAbove(topic, 0, 12, [
      { from: 13, to: 15 },
      { from: 16, to: 20 },
    ]);

    const before = cut.log.all.slice();
    network.comeBack();
    await cut.log.has([...ids, ...(await rig.produce(topic, 0, 5))]);
    const again = cut.log.all.slice(before.length);
    expect(again.map(({ record }) => record.offset)).toEqual([12, 15, 20, 21, 22, 23, 24]);
    for (const { record } of before) expect(record.assignment.signal.aborted).toBe(true);
    for (const { record } of again) expect(record.assignment.signal.aborted).toBe(false);
    // Of the work of then nothing counts any more; the progress of the other one stands.
    for (const handled of before) handled.settle();
    again.at(-1)?.settle();
    await rig.committedAbove(topic, 0, 12, [
      { from: 13, to: 15 },
      { from: 16, to: 20 },
      { from: 24, to: 25 },
    ]);
    again.forEach((handled) => handled.settle());
    await rig.committedUpTo(topic, 0, 25);
  });

  it('a hung coordinator: the consumer is made anew, and goes on where it was', async () => {
    const topic = await rig.topic(2);
    const restarts: string[] = [];
    const { runner, log } = rig.runner([topic], {
      kafka: testKafka(network.socketFactory),
      sessionTimeoutMs: SHORT_SESSION_MS,
      rebalanceTimeoutMs: 6_000,
      watchdogMs: 2_000,
      observer: { restarted: (reason) => restarts.push(reason) },
    });
    await runner.start();
    const before = await rig.produce(topic, 0, 10);
    await log.has(before);
    await rig.committedUpTo(topic, 0, 10);
    const [handled, restarted] = [log.all.length, restarts.length];
    network.goDead();
    await waitUntil(() => restarts.length > restarted, { deadlineMs: DEADLINE_MS, what: 'the watchdog' });
    expect(runner.stats().partitions).toEqual([]);
    network.comeBack();
    const after = await rig.produce(topic, 1, 10);
    await log.has(after);
    // What was committed does not come again; what is not yet may, where its session is lost once more.
    expect([...new Set(log.ids().slice(handled))].sort()).toEqual(after.sort());
  });
});
