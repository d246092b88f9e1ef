import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import { expunge, rangesBuriedOf, toldOf } from '../testing/ends.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';
import { endOffsets } from '../testing/topics.js';

const TYPES = Array.from({ length: 12 }, () => 'order.created');

describe('a catch-up', () => {
  let rig: ReplayRig;

  beforeAll(async () => {
    rig = await ReplayRig.start();
    rig.run();
  });

  afterAll(() => rig.stop());

  async function arrivedIds(subscription: string): Promise<string[]> {
    return (await rig.arrived(TOPICS.replays, subscription)).map(({ deliveryId }) => deliveryId).sort();
  }

  const completed = async (id: string): Promise<Record<string, unknown>> =>
    rig.until('the catch-up to be complete', async () => {
      const row = await rig.replay(id);
      return row['status'] === 'completed' && row;
    });

  it('What was in the retry lanes and what the catch-up re-derives meet without a repeat', async () => {
    const subscription = await rig.subscribe(['order.*']);
    const { tenant, id } = subscription;
    // Before it was paused: some are through, some are given up, and some wait in a lane of the old epoch.
    const before = await rig.publish(tenant, TYPES);
    await rig.decide(before, [id]);
    const [delivered, dead, retrying, held] = [0, 1, 2, 3].map((n) => before.filter((_, i) => i % 4 === n));
    await rig.record(delivered ?? [], id, 'delivered');
    await rig.record(dead ?? [], id, 'dead-lettered');
    await rig.record(retrying ?? [], id, 'retrying');
    await rig.record(held ?? [], id, 'held');
    // Those that no worker has read yet will be taken by one that is behind, for it was live there.
    const unread = await rig.publish(tenant, TYPES);
    const pausedAt = await endOffsets(TOPICS.events);
    // While it was paused: a late learner has delivered some all the same, and others are no business of it.
    const paused = await rig.publish(tenant, [...TYPES, 'user.created']);
    await rig.decide(paused, []);
    await rig.record(paused.slice(0, 4), id, 'delivered');
    const resumedAt = await endOffsets(TOPICS.events);
    const after = await rig.publish(tenant, TYPES);
    await rig.decide(after, [id]);
    await rig.record(after, id, 'retrying');
    await rig.hold(subscription, pausedAt, resumedAt);

    const replayId = await rig.catchUp(subscription, resumedAt);
    const row = await completed(replayId);
    const expected = [
      ...(retrying ?? []),
      ...(held ?? []),
      ...paused.slice(4).filter(({ type }) => type !== 'user.created'),
    ];
    expect(await arrivedIds(id)).toEqual(deliveryIdsOf(expected, id));
    expect(row).toMatchObject({ sent: String(expected.length), error: null });
    for (const { epoch, replayId: by } of await rig.arrived(TOPICS.replays, id))
      expect({ epoch, by }).toEqual({ epoch: 1, by: replayId });
    expect(unread.length).toBe(TYPES.length);

    // Its span ends when history knows of all that it has handed over.
    expect(await rig.spans(id)).toMatchObject([{ ended_as: null, replay_id: replayId }]);
    await rig.record(expected, id, 'delivered', replayId);
    await rig.until('the span to end', async () => (await rig.spans(id))[0]?.ended_as === 'caught-up');
  });

  it('brings what was under way also of types that its subscription takes no more, for its lane record is superseded', async () => {
    const subscription = await rig.subscribe(['order.*']);
    const { tenant, id } = subscription;
    const events = await rig.publish(tenant, ['user.created', 'user.created', 'user.created', 'user.created']);
    await rig.decide(events, [id]);
    const [retrying, held, delivered] = events.map((event) => [event]);
    await rig.record(retrying ?? [], id, 'retrying');
    await rig.record(held ?? [], id, 'held');
    await rig.record(delivered ?? [], id, 'delivered');
    const from = await endOffsets(TOPICS.events);
    const paused = await rig.publish(tenant, ['user.created', 'order.created']);
    await rig.decide(paused, []);
    const to = await endOffsets(TOPICS.events);
    await rig.hold(subscription, from, to);
    await completed(await rig.catchUp(subscription, to));
    const expected = [...events.slice(0, 2), ...paused.filter(({ type }) => type === 'order.created')];
    expect(await arrivedIds(id)).toEqual(deliveryIdsOf(expected, id));
  });

  it('An expunged event that it would have brought ends as a dead letter, expunged; what was delivered of it stays so, and another catch-up says nothing more', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const events = await rig.publish(tenant, ['a.b', 'a.b', 'a.b']);
    await rig.decide(events, [id]);
    const [retrying, delivered, brought] = events as [PublishedEvent, PublishedEvent, PublishedEvent];
    await rig.record([retrying, brought], id, 'retrying');
    await rig.record([delivered], id, 'delivered');
    const from = await endOffsets(TOPICS.events);
    const paused = await rig.publish(tenant, ['a.b', 'a.b']);
    // Of another partition than the one that was retrying: beside each other they would be one range.
    const apart = paused.toSorted(
      (a, b) => +(a.partition === retrying.partition) - +(b.partition === retrying.partition),
    );
    const [held, alsoBrought] = apart as [PublishedEvent, PublishedEvent];
    await rig.decide(paused, []);
    const to = await endOffsets(TOPICS.events);
    await rig.hold(subscription, from, to);
    await expunge(rig, [retrying, delivered, held]);
    const first = await rig.catchUp(subscription, to);
    expect(await completed(first)).toMatchObject({ sent: '2', result: { expunged: 2 } });
    const expected = [brought, alsoBrought];
    expect(await arrivedIds(id)).toEqual(deliveryIdsOf(expected, id));
    const ends = deliveryIdsOf([retrying, held], id).map((deliveryId) => ({
      ...{ deliveryId, state: 'dead-lettered', reason: 'expunged' },
    }));
    expect(await toldOf(id)).toEqual(ends);
    const letters = await rangesBuriedOf(id);
    expect(letters).toEqual(
      [retrying, held].map(({ partition, offset }) => `${partition}:${offset}-${offset + 1} expunged`).sort(),
    );

    // History knows of it by then, and of what was brought.
    await rig.record([retrying, held], id, 'dead-lettered');
    await rig.record(expected, id, 'delivered', first);
    await rig.until('the span to end', async () => (await rig.spans(id))[0]?.ended_as === 'caught-up');
    const again = await completed(await rig.catchUp(subscription, to));
    expect({ sent: again['sent'], expunged: (again['result'] as { expunged?: number }).expunged }).toEqual({
      sent: '0',
      expunged: undefined,
    });
  });

  it('waits until every worker knows of it, and until history has what they did before', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const from = await endOffsets(TOPICS.events);
    const events = await rig.publish(tenant, TYPES);
    const to = await endOffsets(TOPICS.events);
    await rig.decide(events, []);
    await rig.hold(subscription, from, to);
    await rig.recordUpTo(-1);
    const replayId = await rig.catchUp(subscription, to, { told: false });
    // Another one shows that the scheduler has gone by.
    const other = await rig.subscribe();
    const done = await rig.catchUp(other, from, { told: true });
    await rig.until('the other one to wait for history', async () => (await rig.replay(done))['not_before'] !== null);
    expect(await rig.replay(replayId)).toMatchObject({ status: 'pending', not_before: null });
    await rig.database.query('UPDATE replays SET told_at = now() WHERE id = $1', [replayId]);
    await rig.until('it to wait for history', async () => (await rig.replay(replayId))['not_before'] !== null);
    expect(await arrivedIds(id)).toEqual([]);
    // What a stale worker did meanwhile is written down before the recorder gets there.
    await rig.record(events.slice(0, 5), id, 'delivered');
    await rig.recordUpTo(1_000_000_000);
    await completed(replayId);
    expect(await arrivedIds(id)).toEqual(deliveryIdsOf(events.slice(5), id));
    await completed(done);
  });

  it('waits until the workers are through with the events that it would bring: what one has in hand is not sent twice', async () => {
    const subscription = await rig.subscribe();
    const events = await rig.publish(subscription.tenant, TYPES);
    const to = await endOffsets(TOPICS.events);
    // Another one's delivery has told what they match; nothing of this one's attempts is known yet.
    await rig.decide(events, [subscription.id]);
    rig.log.workersPassed = Math.max(...to.values()) - 1;
    try {
      const replayId = await rig.catchUp(subscription, to, { told: true });
      const other = await rig.subscribe();
      const nothing = await rig.catchUp(other, new Map([...to.keys()].map((partition) => [partition, 0])));
      await completed(nothing);
      expect(await rig.replay(replayId)).toMatchObject({ finished_at: null, not_before: null });
      await rig.record(events, subscription.id, 'delivered');
      rig.log.workersPassed += 1;
      await completed(replayId);
      expect(await arrivedIds(subscription.id)).toEqual([]);

      // Workers that are far behind, or away, are not waited for.
      rig.log.workersPassed = 0;
      const late = await rig.catchUp(other, to, { told: false });
      await rig.database.query(`UPDATE replays SET told_at = now() - interval '1 hour' WHERE id = $1`, [late]);
      await completed(late);
    } finally {
      rig.log.workersPassed = Number.MAX_SAFE_INTEGER;
    }
  });

  it('since a time leaves what is older held, but for what was under way', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const pausedAt = await endOffsets(TOPICS.events);
    const early = await rig.publish(tenant, TYPES);
    await rig.until('the clock to go on', () => Date.now() > Math.max(...early.map(({ at }) => at)) + 5);
    const late = await rig.publish(tenant, TYPES);
    const to = await endOffsets(TOPICS.events);
    await rig.decide([...early, ...late], []);
    await rig.record(early.slice(0, 2), id, 'held');
    await rig.hold(subscription, pausedAt, to);
    const since = Math.min(...late.map(({ at }) => at));
    const replayId = await rig.catchUp(subscription, to, { from: since });
    await completed(replayId);
    const expected = [...early.slice(0, 2), ...late];
    expect(await arrivedIds(id)).toEqual(deliveryIdsOf(expected, id));
    await rig.record(expected, id, 'delivered', replayId);
    const floor = Object.fromEntries(await rig.log.at(TOPICS.events, since));
    await rig.until('the rest to be held on its own', async () => (await rig.spans(id))[0]?.replay_id === null);
    expect(await rig.spans(id)).toMatchObject([{ ended_as: null, to_offsets: floor }]);
  });

  it('ends where its subscription is paused again, and what is left stays held', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const from = await endOffsets(TOPICS.events);
    const events = await rig.publish(tenant, TYPES);
    const to = await endOffsets(TOPICS.events);
    await rig.decide(events, []);
    await rig.hold(subscription, from, to);
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [id]);
    const replayId = await rig.catchUp(subscription, to);
    await rig.until('the catch-up to be cancelled', async () => (await rig.replay(replayId))['status'] === 'cancelled');
    expect(await arrivedIds(id)).toEqual([]);
    expect(await rig.spans(id)).toMatchObject([
      { ended_as: null, replay_id: null, from_offsets: Object.fromEntries(from) },
    ]);
  });

  it('of an ordered subscription lets the live ones go on when all that it brought has ended', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const from = await endOffsets(TOPICS.events);
    const events = await rig.publish(tenant, TYPES);
    const to = await endOffsets(TOPICS.events);
    await rig.decide(events, []);
    await rig.hold(subscription, from, to);
    const replayId = await rig.catchUp(subscription, to);
    await rig.database.query(`UPDATE subscriptions SET ordering = 'key', catching_up = $2 WHERE id = $1`, [
      id,
      replayId,
    ]);
    await completed(replayId);
    const [last, ...others] = events as [PublishedEvent, ...PublishedEvent[]];
    await rig.record(others, id, 'delivered', replayId);
    await rig.record([last], id, 'retrying', replayId);
    // History knows of all: the span ends, which the same keeper sees to just before.
    await rig.until('the span to end', async () => (await rig.spans(id))[0]?.ended_as === 'caught-up');
    // The keeper has gone by once more when the span of another one has ended, too.
    const other = await rig.subscribe();
    await rig.hold(other, to, to);
    await rig.catchUp(other, to);
    await rig.until('the other span to end', async () => (await rig.spans(other.id))[0]?.ended_as === 'caught-up');
    const subscribed = async (): Promise<Record<string, unknown> | undefined> =>
      (await rig.database.query<Record<string, unknown>[]>('SELECT * FROM subscriptions WHERE id = $1', [id]))[0];
    expect(await subscribed()).toMatchObject({ catching_up: replayId, version: 3 });
    await rig.record([last], id, 'dead-lettered', replayId);
    await rig.until('the live ones to go on', async () => (await subscribed())?.['catching_up'] === null);
    expect(await subscribed()).toMatchObject({ version: 4 });
    const told = await rig.database.query<{ payload: object }[]>('SELECT payload FROM outbox WHERE key = $1', [id]);
    expect(told).toMatchObject([{ payload: { version: 4, status: 'enabled', ordering: 'key' } }]);
    expect(told[0]?.payload).not.toHaveProperty('catchingUp');
  });
});

describe('a backlog', () => {
  let rig: ReplayRig;

  beforeAll(async () => {
    rig = await ReplayRig.start({ HOOKLINE_SUBSCRIPTION_BACKLOG: '20' });
    rig.run();
  });

  afterAll(() => rig.stop());

  it('is brought by and by: no more is under way than half of what may wait', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const from = await endOffsets(TOPICS.events);
    const events = await rig.publish(tenant, [...TYPES, ...TYPES, ...TYPES]);
    const to = await endOffsets(TOPICS.events);
    await rig.decide(events, []);
    // What waits in a lane goes on there: nothing is superseded.
    await rig.record(events.slice(0, 3), id, 'pending');
    await rig.hold(subscription, from, to);
    const replayId = await rig.catchUp(subscription, to, { kind: 'backlog' });
    const byId = new Map(events.map((event) => [deliveryIdsOf([event], id)[0], event]));
    const ended = new Set<string>();
    while ((await rig.replay(replayId))['status'] !== 'completed') {
      const arrived = await rig.until('more to be handed over, or its end', async () => {
        if ((await rig.replay(replayId))['status'] === 'completed') return [];
        const fresh = (await rig.arrived(TOPICS.replays, id)).filter(({ deliveryId }) => !ended.has(deliveryId));
        return fresh.length > 0 && fresh;
      });
      expect(arrived.length).toBeLessThanOrEqual(10);
      for (const { deliveryId } of arrived) ended.add(deliveryId);
      await rig.record(
        arrived.map(({ deliveryId }) => byId.get(deliveryId) as PublishedEvent),
        id,
        'delivered',
        replayId,
      );
    }
    const all = (await rig.arrived(TOPICS.replays, id)).map(({ deliveryId }) => deliveryId).sort();
    expect(all).toEqual(deliveryIdsOf(events.slice(3), id));
  });
});

describe('a catch-up whose process dies in the middle', () => {
  it('is resumed: everything arrives, what had an outcome meanwhile not again, and all of it is counted', async () => {
    const rig = await ReplayRig.start();
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const from = await endOffsets(TOPICS.events);
    const events: PublishedEvent[] = [];
    for (let i = 0; i < 10; i += 1) events.push(...(await rig.publish(tenant, [...TYPES, ...TYPES, ...TYPES])));
    const to = await endOffsets(TOPICS.events);
    await rig.decide(events, []);
    await rig.hold(subscription, from, to);
    let died: () => void = () => undefined;
    const death = new Promise<void>((resolve) => (died = resolve));
    let handedOver = 0;
    const deadly: Output = {
      produce: async (record) => {
        const appended = await rig.pump.produce(record);
        handedOver += 1;
        if (handedOver === 150) await rig.killSessions().then(died);
        return appended;
      },
    };
    const first = rig.run(deadly);
    const replayId = await rig.catchUp(subscription, to);
    await death;
    await first.stop();
    const middle = await rig.replay(replayId);
    expect(middle).toMatchObject({ status: 'running' });
    expect(Number(middle['sent'])).toBeLessThan(150);
    // Some of what was handed over has an outcome by now, also of what was not saved.
    const times = async (): Promise<Map<string, number>> => {
      const counts = new Map<string, number>();
      for (const { deliveryId } of await rig.arrivedWithRepeats(TOPICS.replays, id))
        counts.set(deliveryId, (counts.get(deliveryId) ?? 0) + 1);
      return counts;
    };
    const before = await times();
    const byId = new Map(events.map((event) => [deliveryIdsOf([event], id)[0], event]));
    await rig.record(
      [...before.keys()].map((each) => byId.get(each) as PublishedEvent),
      id,
      'retrying',
      replayId,
    );
    rig.run();
    await rig.until('the catch-up to be complete', async () => (await rig.replay(replayId))['status'] === 'completed');
    const after = await times();
    expect([...after.keys()].sort()).toEqual(deliveryIdsOf(events, id));
    expect(new Map([...before.keys()].map((each) => [each, after.get(each)]))).toEqual(before);
    expect(await rig.replay(replayId)).toMatchObject({ sent: String(events.length), matched: String(events.length) });
    await rig.stop();
  });
});
