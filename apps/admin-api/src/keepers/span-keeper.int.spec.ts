import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type HeldRange } from '@hookline/contracts';
import type { OutgoingRecord, Output } from '@hookline/kafka';
import { ReplayRig } from '../testing/replay-rig.js';
import { SpanKeeper } from './span-keeper.js';

const never = new AbortController().signal;

/** The log of three partitions begins where the test says; nobody else's log is cut for it. */
class Log {
  lows = [0, 0, 0];
  bounds = async () => this.lows.map((low, partition) => ({ partition, low, high: 1_000 }));
}

describe('the keeper of what is held', () => {
  let rig: ReplayRig;
  let letters: OutgoingRecord[];
  let down: boolean;
  const output: Output = {
    produce: async (record) => {
      if (down) throw new Error('Kafka is away');
      letters.push(record);
      return { partition: 0, offset: 0 };
    },
  };

  beforeAll(async () => {
    rig = await ReplayRig.start();
  });

  afterAll(() => rig.stop());

  /** What was written of a subscription since the last time. */
  function written(id: string): (Partial<HeldRange> & { reason: string })[] {
    const found = letters.filter(({ key }) => key === id);
    letters = letters.filter(({ key }) => key !== id);
    return found
      .map(({ topic, value, headers }) => {
        expect({ topic, value }).toEqual({ topic: TOPICS.deadLetters, value: null });
        const { partition, from, to } = JSON.parse(String(headers?.['held-range'])) as HeldRange;
        return { partition, from, to, reason: String(headers?.['reason']) };
      })
      .sort((a, b) => a.partition - b.partition);
  }

  async function keep(log: Log): Promise<void> {
    const session = await rig.openSession();
    try {
      await new SpanKeeper(log, output).round(session, never);
    } finally {
      await session.close();
    }
  }

  it('writes one dead letter for each range that the log has let go of, before the span moves on', async () => {
    [letters, down] = [[], false];
    const log = new Log();
    const subscription = await rig.subscribe();
    const { id } = subscription;
    await rig.hold(
      subscription,
      new Map([
        [0, 10],
        [1, 20],
        [2, 30],
      ]),
      new Map([
        [0, 100],
        [1, 200],
        [2, 30],
      ]),
    );
    log.lows = [5, 20, 50];
    await keep(log);
    expect(written(id)).toEqual([]);
    log.lows = [60, 20, 50];
    down = true;
    await expect(keep(log)).rejects.toThrow('Kafka is away');
    expect(await rig.spans(id)).toMatchObject([{ from_offsets: { 0: 10, 1: 20, 2: 30 }, ended_as: null }]);
    down = false;
    await keep(log);
    expect(written(id)).toEqual([{ partition: 0, from: 10, to: 60, reason: 'let-go' }]);
    await keep(log);
    expect(written(id)).toEqual([]);
    log.lows = [150, 199, 50];
    await keep(log);
    expect(written(id)).toEqual([
      { partition: 0, from: 60, to: 100, reason: 'let-go' },
      { partition: 1, from: 20, to: 199, reason: 'let-go' },
    ]);
    expect(await rig.spans(id)).toMatchObject([{ from_offsets: { 0: 100, 1: 199, 2: 30 }, ended_as: null }]);
    log.lows = [150, 300, 50];
    await keep(log);
    expect(written(id)).toEqual([{ partition: 1, from: 199, to: 200, reason: 'let-go' }]);
    expect(await rig.spans(id)).toMatchObject([{ ended_as: 'let-go' }]);
  });

  it('follows the start of the log in a span that is still open, also in partitions that are newer', async () => {
    [letters, down] = [[], false];
    const log = new Log();
    const subscription = await rig.subscribe();
    await rig.hold(
      subscription,
      new Map([
        [0, 10],
        [1, 20],
      ]),
      null,
    );
    log.lows = [11, 0, 5];
    await keep(log);
    expect(written(subscription.id)).toEqual([
      { partition: 0, from: 10, to: 11, reason: 'let-go' },
      { partition: 2, from: 0, to: 5, reason: 'let-go' },
    ]);
    expect(await rig.spans(subscription.id)).toMatchObject([{ from_offsets: { 0: 11, 1: 20, 2: 5 }, ended_as: null }]);
  });

  it('leaves what a catch-up brings to that', async () => {
    [letters, down] = [[], false];
    const log = new Log();
    const subscription = await rig.subscribe();
    await rig.hold(subscription, new Map([[0, 10]]), new Map([[0, 100]]));
    await rig.database.query(`UPDATE held_spans SET replay_id = 'rpl_1' WHERE subscription_id = $1`, [subscription.id]);
    log.lows = [500, 0, 0];
    await keep(log);
    expect(written(subscription.id)).toEqual([]);
  });

  it('buries what a deleted subscription has not got', async () => {
    [letters, down] = [[], false];
    const subscription = await rig.subscribe();
    const { id } = subscription;
    await rig.hold(
      subscription,
      new Map([
        [0, 10],
        [1, 20],
      ]),
      new Map([
        [0, 100],
        [1, 20],
      ]),
    );
    await rig.database.query(`UPDATE subscriptions SET status = 'deleted' WHERE id = $1`, [id]);
    await keep(new Log());
    expect(written(id)).toEqual([{ partition: 0, from: 10, to: 100, reason: 'subscription-deleted' }]);
    expect(await rig.spans(id)).toMatchObject([{ ended_as: 'deleted' }]);
  });

  it('writes what a catch-up found to be gone, with exact bounds, when its span ends', async () => {
    const subscription = await rig.subscribe();
    const { id } = subscription;
    await rig.hold(
      subscription,
      new Map([
        [0, 10],
        [1, 5],
      ]),
      new Map([
        [0, 100],
        [1, 5],
      ]),
    );
    const replayId = await rig.catchUp(
      subscription,
      new Map([
        [0, 100],
        [1, 5],
      ]),
      { told: false },
    );
    await rig.database.query(`UPDATE held_spans SET replay_id = $2 WHERE subscription_id = $1`, [id, replayId]);
    const gone = [{ partition: 0, from: 3, to: 42 }];
    await rig.database.query(
      `UPDATE replays SET status = 'completed', finished_at = now(), result = $2 WHERE id = $1`,
      [replayId, JSON.stringify({ gone })],
    );
    [letters, down] = [[], false];
    const running = rig.run(output);
    await rig.until('the span to end', async () => (await rig.spans(id))[0]?.ended_as === 'caught-up');
    await running.stop();
    expect(written(id)).toEqual([{ partition: 0, from: 10, to: 42, reason: 'let-go' }]);
  });
});
