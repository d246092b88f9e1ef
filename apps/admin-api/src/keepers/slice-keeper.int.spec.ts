import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeCompacted, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { RangeReader } from '@hookline/kafka';
import { DeliveryStates, ExpungedPayloads } from '@hookline/persistence';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { expunge, rangesBuriedOf, toldOf } from '../testing/ends.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';
import { endOffsets, testKafka } from '../testing/topics.js';
import { SliceKeeper } from './slice-keeper.js';

const FOUR = ['a.b', 'a.b', 'a.b', 'a.b'];

describe('late learners', () => {
  let rig: ReplayRig;

  beforeAll(async () => {
    // So long that it is the test that says when a slice is over.
    rig = await ReplayRig.start({ HOOKLINE_VIEW_STALE: '1h' });
    rig.run();
  });

  afterAll(() => rig.stop());

  async function tell(
    { tenant, id }: { tenant: string; id: string },
    changes: Partial<SubscriptionRecord>,
  ): Promise<void> {
    const record: SubscriptionRecord = {
      v: 1,
      version: 1,
      id,
      tenant,
      url: 'https://example.com/',
      types: ['*'],
      status: 'enabled',
      sealed: '',
      holdsFrom: Object.fromEntries(await endOffsets(TOPICS.events)),
      ...changes,
    };
    await rig.pump.produce({ topic: TOPICS.subscriptions, key: id, value: encodeCompacted(record) });
  }

  const slices = (id: string): Promise<{ versions: object[]; partitions: object | null }[]> =>
    rig.database.query('SELECT versions, partitions FROM late_slices WHERE subscription_id = $1 ORDER BY version', [
      id,
    ]);

  /** What was handed over to the lane of live work. */
  async function arrived(id: string): Promise<string[]> {
    return (await rig.arrived(TOPICS.deliveries, id)).map(({ deliveryId }) => deliveryId).sort();
  }

  const opened = (id: string, versions = 1): Promise<unknown> =>
    rig.until('the slice to be opened', async () => {
      const [slice] = await slices(id);
      return (slice?.versions.length ?? 0) >= versions;
    });

  /** As if every worker had heard of all changes by now. */
  async function over(id: string): Promise<void> {
    await rig.database.query(
      `UPDATE late_slices SET due_at = now(), ends_at = now() + interval '1 hour' WHERE subscription_id = $1`,
      [id],
    );
  }

  const read = (id: string): Promise<unknown> =>
    rig.until('the slice to be read', async () => (await slices(id)).length === 0);

  it('Late learners of a new subscription: what they left out is handed over, what was matched is not', async () => {
    const subscription = await rig.subscribe(['a.*']);
    const { tenant, id } = subscription;
    const before = await rig.publish(tenant, FOUR);
    await tell(subscription, { types: ['a.*'] });
    await opened(id);
    const missed = await rig.publish(tenant, FOUR);
    const matched = await rig.publish(tenant, FOUR);
    const others = await rig.publish(tenant, ['c.d', 'c.d']);
    await rig.decide([...before, ...missed, ...others], []);
    await rig.decide(matched, [id]);
    await rig.record(matched, id, 'delivered');
    await over(id);
    await read(id);
    expect(await arrived(id)).toEqual(deliveryIdsOf(missed, id));
    expect((await rig.arrived(TOPICS.deliveries, id))[0]).toMatchObject({ epoch: 1, replayId: undefined });
  });

  it('An expunged event that a late slice would have brought ends as a dead letter, expunged, without its data', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    await tell(subscription, {});
    await opened(id);
    const events = await rig.publish(tenant, FOUR);
    const [first, ...others] = events as [PublishedEvent, ...PublishedEvent[]];
    await rig.decide(events, []);
    await expunge(rig, [first]);
    await over(id);
    await read(id);
    expect(await arrived(id)).toEqual(deliveryIdsOf(others, id));
    const { partition, offset } = first;
    expect(await rangesBuriedOf(id)).toEqual([`${partition}:${offset}-${offset + 1} expunged`]);
    const [deliveryId] = deliveryIdsOf([first], id);
    expect((await toldOf(id)).filter(({ state }) => state !== 'pending')).toEqual([
      { deliveryId, state: 'dead-lettered', reason: 'expunged' },
    ]);
  });

  it('waits for what is not decided yet, for whoever reads it knows of the version', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    await tell(subscription, {});
    await opened(id);
    const events = await rig.publish(tenant, [...FOUR, ...FOUR, ...FOUR]);
    const ofFirst = events.filter(({ partition }) => partition === 0);
    const others = events.filter(({ partition }) => partition !== 0);
    await rig.decide([...others, ...ofFirst.slice(0, 1), ...ofFirst.slice(2)], []);
    await over(id);
    await rig.until('what is decided to be handed over', async () => (await arrived(id)).length === others.length + 1);
    const [row] = await slices(id);
    expect(row?.partitions).toMatchObject({ '0': { next: ofFirst[1]?.offset } });
    // A worker that was behind has read it, with the version in view: it has matched it, and sends it itself.
    await rig.decide(ofFirst.slice(1, 2), [id]);
    await rig.record(ofFirst.slice(1, 2), id, 'retrying');
    await read(id);
    expect(await arrived(id)).toEqual(deliveryIdsOf([...others, ...ofFirst.filter((_, at) => at !== 1)], id));
  });

  it('goes by the version that holds at each offset, and on where it stood after a restart', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    await tell(subscription, {});
    await opened(id);
    const wide = await rig.publish(tenant, FOUR);
    await tell(subscription, {
      version: 2,
      types: ['c.d'],
      before: [{ version: 1, live: true, types: ['*'], holdsFrom: {} }],
    });
    const narrow = await rig.publish(tenant, [...FOUR, 'c.d']);
    await tell(subscription, { version: 3, types: ['c.d'], status: 'paused' });
    const paused = await rig.publish(tenant, ['c.d', 'c.d']);
    await opened(id, 3);
    await rig.killSessions();
    await rig.decide([...wide, ...narrow, ...paused], []);
    await over(id);
    await read(id);
    const expected = [...wide, ...narrow.filter(({ type }) => type === 'c.d')];
    expect(await arrived(id)).toEqual(deliveryIdsOf(expected, id));
  });

  it('are waited for by a catch-up that was cancelled, too, for it has superseded what the lanes had', async () => {
    const subscription = await rig.subscribe();
    const replay = await rig.catchUp(subscription, await endOffsets(TOPICS.events), { told: false });
    await rig.database.query(`UPDATE replays SET status = 'cancelled', finished_at = now() WHERE id = $1`, [replay]);
    await tell(subscription, { version: 3 });
    await rig.until('it to be told', async () => (await rig.replay(replay))['told_at'] !== null);
  });

  it('cost nothing where the log stands still: nothing is read', async () => {
    const subscription = await rig.subscribe();
    const ends = [...(await endOffsets(TOPICS.events))];
    // Others publish here, too: it holds from where they have not come yet.
    await tell(subscription, {
      holdsFrom: Object.fromEntries(ends.map(([partition, end]) => [partition, end + 1_000_000])),
    });
    await opened(subscription.id);
    await over(subscription.id);
    await read(subscription.id);
    expect(await arrived(subscription.id)).toEqual([]);
  });
});

describe('an event that its first owner matched', () => {
  const SILENT_MS = 45_000;
  const never = new AbortController().signal;
  let rig: ReplayRig;

  beforeAll(async () => {
    rig = await ReplayRig.start();
  });

  afterAll(() => rig.stop());

  /** What late learners may have left out is due: all that comes from now on, up to a version's time. */
  async function open({ tenant, id }: { tenant: string; id: string }): Promise<() => Promise<unknown>> {
    const holdsFrom = Object.fromEntries(await endOffsets(TOPICS.events));
    const version = { version: 3, live: true, more: true, types: ['*'], holdsFrom };
    return () =>
      rig.database.query(
        `INSERT INTO late_slices (subscription_id, version, tenant_id, versions, due_at, ends_at)
         VALUES ($1, 3, $2, $3, now(), now() + interval '1 hour')`,
        [id, tenant, JSON.stringify([version])],
      );
  }

  it('and that was done again by a worker with an older view is not trusted: it holds the slice up, and is handed over when nobody can be at it any more', async () => {
    const subscription = await rig.subscribe();
    const { tenant, id } = subscription;
    const begin = await open(subscription);
    const events = await rig.publish(tenant, FOUR);
    const silent = events.filter(({ partition }) => partition === 0);
    const others = events.filter(({ partition }) => partition !== 0);
    // The first owner said so, and died. The next one has matched another one only, and sent to that.
    await rig.decide(silent, [id, 'sub_other']);
    await rig.record(silent, 'sub_other', 'delivered');
    await rig.decide(others, [id]);
    await rig.record(others, id, 'delivered');
    await begin();

    const clock = new TestClock();
    const { database, log, pump: output } = rig;
    const keeper = new SliceKeeper(
      {
        database,
        log,
        reader: new RangeReader(testKafka()),
        states: new DeliveryStates(database),
        payloads: new ExpungedPayloads(database),
        output,
        clock,
        logger: silentLogger,
      },
      { slices: 10, events: 1_000, againMs: 0, silentMs: SILENT_MS, inFlightBytes: 1_000_000 },
    );
    const session = await rig.openSession();
    const nextOf = async (): Promise<number | undefined> => {
      const [slice] = await rig.database.query<{ partitions: Record<string, { next: number }> }[]>(
        'SELECT partitions FROM late_slices WHERE subscription_id = $1',
        [id],
      );
      return slice?.partitions['0']?.next;
    };
    const arrived = async (): Promise<string[]> =>
      (await rig.arrived(TOPICS.deliveries, id)).map(({ deliveryId }) => deliveryId).sort();

    await keeper.round(session, never);
    clock.advance(SILENT_MS - 1);
    await keeper.round(session, never);
    expect(await nextOf()).toBe(silent[0]?.offset);
    expect(await arrived()).toEqual([]);
    clock.advance(1);
    await keeper.round(session, never);
    expect(await nextOf()).toBeUndefined();
    // With the id that it has always had: whoever got it meanwhile knows it again.
    expect(await arrived()).toEqual(deliveryIdsOf(silent, id));
  });
});
