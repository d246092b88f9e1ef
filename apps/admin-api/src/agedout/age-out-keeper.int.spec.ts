import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeOutcome, TOPICS, type AgedOutRecord, type HeldRange } from '@hookline/contracts';
import { partitionOf, type Output } from '@hookline/kafka';
import { silentLogger, systemClock } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { toldOf } from '../testing/ends.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';
import { readFrom } from '../testing/topics.js';
import { AgeOutKeeper } from './age-out-keeper.js';

const never = new AbortController().signal;
/** As many as the rig's lanes have. */
const LANES = 3;
/** Of which a test says what it has. */
const LANE = 'hookline.retry.of-the-test';

type Bounds = LogBounds['bounds'];

describe('the keeper of what aged out', () => {
  let rig: ReplayRig;
  let written: AgedOutRecord[];

  beforeAll(async () => {
    rig = await ReplayRig.start();
  });
  afterAll(() => rig.stop());
  // A keeper looks after all of a lane's subscriptions: those of the test before have nothing more to get.
  beforeEach(async () => {
    await rig.database.query('DELETE FROM deliveries');
    await rig.database.query('DELETE FROM event_routes');
  });

  const laneOf = (id: string): number => partitionOf(Buffer.from(id), LANES);

  function gap(partition: number, change: Partial<AgedOutRecord> = {}): AgedOutRecord {
    const group = 'hookline.delivery.lanes';
    const foundAt = Date.now();
    return { v: 1, group, topic: TOPICS.replays, partition, from: 7, to: 20, foundAt, state: 'found', ...change };
  }

  /** One round of a keeper that finds these; @returns what it wrote down */
  async function keep(
    found: AgedOutRecord[],
    bounds: Bounds = (topic) => rig.log.bounds(topic),
    lane: () => { low: number; next: number } = () => ({ low: 0, next: 0 }),
    { output = rig.pump as Output, rowsInARound = undefined as number | undefined } = {},
  ): Promise<AgedOutRecord[]> {
    written = [];
    const ageOuts = {
      list: async () => found,
      write: async (record: AgedOutRecord) => void written.push(record),
    };
    const session = await rig.openSession();
    try {
      // A lane where the test says what is left, and from where on that is younger.
      const ofLane = (each: 'low' | 'next') => Array.from({ length: LANES }, (_, of) => [of, lane()[each]] as const);
      const log: LogBounds = {
        bounds: async (topic) =>
          topic === LANE ? ofLane('low').map(([partition, low]) => ({ partition, low, high: 100 })) : bounds(topic),
        at: async () => new Map(ofLane('next')),
      };
      const parts = { ageOuts, log, lanes: [LANE], output, clock: systemClock, logger: silentLogger };
      await new AgeOutKeeper(parts, rowsInARound).round(session, never);
    } finally {
      await session.close();
    }
    return written;
  }

  /** That nothing more is done about. */
  const over = (records: readonly AgedOutRecord[]): AgedOutRecord[] => records.filter(({ state }) => state !== 'found');

  async function rowOf(id: string): Promise<Record<string, unknown>> {
    const [row] = await rig.database.query<Record<string, unknown>[]>(
      'SELECT version, epoch, status, catching_up FROM subscriptions WHERE id = $1',
      [id],
    );
    return row ?? {};
  }

  const catchUpsOf = (id: string): Promise<{ id: string; version: number }[]> =>
    rig.database.query('SELECT id, version, status FROM replays WHERE subscription_id = $1', [id]);

  /** One whose lanes have another owner. */
  async function elsewhere(lane: number): Promise<{ tenant: string; id: string }> {
    for (;;) {
      const subscription = await rig.subscribe();
      if (laneOf(subscription.id) !== lane) return subscription;
    }
  }

  it('brings again what was in a lane that let go of it, also the members of a wide hand-over, and nothing that has ended', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const neighbour = await elsewhere(laneOf(id));
    const events = await rig.publish(
      tenant,
      Array.from({ length: 6 }, (_, i) => `t.${i}`),
    );
    const [delivered, dead, retrying, pending, wide, alsoWide] = events as [
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
    ];
    await rig.decide([wide, alsoWide], [id]);
    await rig.record([delivered], id, 'delivered');
    await rig.record([dead], id, 'dead-lettered');
    await rig.record([retrying], id, 'retrying');
    await rig.record([pending], id, 'pending');
    await rig.record(await rig.publish(neighbour.tenant, ['x']), neighbour.id, 'retrying');

    const found = [gap(laneOf(id)), gap(laneOf(id), { topic: 'hookline.retry.5s', from: 1, to: 2 })];
    const lanes: Bounds = (topic) => rig.log.bounds(topic.startsWith('hookline.retry') ? TOPICS.replays : topic);
    expect(over(await keep(found, lanes))).toEqual(
      found.map((each) => ({ ...each, state: 're-created', recreated: 4 })),
    );

    expect(await rowOf(id)).toMatchObject({ version: 4, epoch: 2, catching_up: null });
    expect(await catchUpsOf(neighbour.id)).toEqual([]);
    const [catchUp] = await catchUpsOf(id);
    expect(await rig.spans(id)).toMatchObject([{ reason: 'aged-out', version: 3, ended_as: null }]);

    // As the publisher does, when it writes the version.
    const ends = Object.fromEntries(
      (await rig.log.bounds(TOPICS.events)).map(({ partition, high }) => [partition, high]),
    );
    await rig.database.query('UPDATE replays SET version = 4, to_offsets = $2, told_at = now() WHERE id = $1', [
      catchUp?.id,
      JSON.stringify(ends),
    ]);
    rig.run();
    const expected = deliveryIdsOf([retrying, pending, wide, alsoWide], id);
    const arrived = await rig.until('the catch-up', async () => {
      const deliveries = await rig.arrived(TOPICS.replays, id);
      return deliveries.length >= expected.length && deliveries;
    });
    expect(arrived.map(({ deliveryId }) => deliveryId).sort()).toEqual(expected);
    expect(new Set(arrived.map(({ replayId, epoch }) => `${replayId} ${epoch}`))).toEqual(
      new Set([`${catchUp?.id} 2`]),
    );
  });

  it('asks nobody before history has every outcome that was written when it was found', async () => {
    const { id, tenant } = await rig.subscribe();
    await rig.record(await rig.publish(tenant, ['a']), id, 'retrying');
    const beyond: Bounds = async (topic) =>
      topic === TOPICS.attempts ? [{ partition: 0, low: 0, high: 2_000_000_000 }] : rig.log.bounds(topic);
    expect(await keep([gap(laneOf(id))], beyond)).toEqual([]);
    expect(await catchUpsOf(id)).toEqual([]);
    expect(over(await keep([gap(laneOf(id))]))).toMatchObject([{ state: 're-created' }]);
    expect(await catchUpsOf(id)).toHaveLength(1);
  });

  it('holds what a paused subscription lost until it is enabled, and brings a deleted one nothing', async () => {
    const [paused, deleted] = [await rig.subscribe(), await rig.subscribe()];
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [paused.id]);
    await rig.database.query(`UPDATE subscriptions SET status = 'deleted' WHERE id = $1`, [deleted.id]);
    const [event] = (await rig.publish(paused.tenant, ['a'])) as [PublishedEvent];
    await rig.record([event], paused.id, 'pending');
    await rig.record(await rig.publish(deleted.tenant, ['a']), deleted.id, 'pending');
    await rig.hold(paused, new Map([[event.partition, event.offset + 1]]), null, 3);
    for (const { id } of [paused, deleted]) await keep([gap(laneOf(id))]);
    expect(await catchUpsOf(paused.id)).toEqual([]);
    expect(await rowOf(paused.id)).toMatchObject({ version: 3, epoch: 1 });
    // Of itself, too: so it has its end where the log lets go of it before anybody asks.
    const [deliveryId] = deliveryIdsOf([event], paused.id);
    expect(await toldOf(paused.id)).toEqual([{ deliveryId, state: 'held', reason: 'subscription-paused' }]);
    // The span that its pause had opened begins with what was lost now, and stays open.
    const [span] = await rig.spans(paused.id);
    expect(span).toMatchObject({ to_offsets: null, ended_as: null });
    expect(span?.from_offsets[event.partition]).toBe(event.offset);
    expect(await rig.spans(deleted.id)).toEqual([]);
    expect(await catchUpsOf(deleted.id)).toEqual([]);
  });

  /** Behind its only delivery as many more as make one and a half pages. */
  function fill(id: string): Promise<unknown> {
    return rig.database.query(
      `INSERT INTO deliveries (delivery_id, event_at, event_partition, event_offset, tenant_id, subscription_id, event_id,
         type, state, attempts, sole_match, updated_at, outcome_offset)
       SELECT gen_random_uuid(), event_at, event_partition, event_offset + n, tenant_id, subscription_id, 'e' || n,
         type, 'retrying', 1, false, updated_at, 0
         FROM deliveries, generate_series(1, 1499) AS s(n) WHERE subscription_id = $1`,
      [id],
    );
  }

  function knowHeld(id: string, offsets: readonly number[]): Promise<unknown> {
    return rig.database.query(
      `UPDATE deliveries SET state = 'held' WHERE subscription_id = $1 AND event_offset = ANY($2::bigint[])`,
      [id, offsets],
    );
  }

  it('holds nothing twice: it goes on with the next part when history has what it wrote of the one before', async () => {
    const { id, tenant } = await rig.subscribe();
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [id]);
    const events = await rig.publish(tenant, ['a']);
    await rig.record(events, id, 'pending');
    await fill(id);
    const held: number[] = [];
    let toldUpTo = 0;
    let record = gap(laneOf(id));
    const clock = new TestClock();
    const keeper = new AgeOutKeeper(
      {
        ageOuts: { list: async () => [record], write: async (next) => void (record = next) },
        log: {
          bounds: async (topic) =>
            topic === TOPICS.attempts ? [{ partition: 0, low: 0, high: toldUpTo }] : rig.log.bounds(topic),
          at: async () => new Map(),
        },
        lanes: [],
        output: {
          produce: async ({ value }) => {
            held.push(decodeOutcome(value as Buffer).source.offset);
            return { partition: 0, offset: 0 };
          },
        },
        clock,
        logger: silentLogger,
      },
      1_000,
    );
    const round = async (): Promise<void> => {
      clock.advance(60_000);
      const session = await rig.openSession();
      await keeper.round(session, never).finally(() => session.close());
    };
    await round();
    expect(held).toHaveLength(1_000);
    toldUpTo = 2_000_000_000;
    await round();
    expect(held).toHaveLength(1_000);
    await knowHeld(id, held);
    await rig.recordUpTo(toldUpTo);
    await round();
    expect(new Set(held).size).toBe(1_500);
    expect(held).toHaveLength(1_500);
    expect(record).toMatchObject({ state: 're-created', recreated: 1_500 });
    await rig.recordUpTo(1_000_000_000);
  });

  it('holds what a paused subscription lost by parts, and says in the end how much it was in the beginning', async () => {
    const [paused, other] = [await rig.subscribe(), await rig.subscribe()];
    const { id, tenant } = paused;
    const lane = laneOf(id);
    let enabled = other;
    while (laneOf(enabled.id) !== lane) enabled = await rig.subscribe();
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [id]);
    const [event] = (await rig.publish(tenant, ['a'])) as [PublishedEvent];
    await rig.record([event], id, 'pending');
    await fill(id);
    const brought = await rig.publish(enabled.tenant, ['b']);
    await rig.record(brought, enabled.id, 'retrying');
    const record = gap(lane);

    const held: number[] = [];
    let isAway = false;
    const output: Output = {
      produce: async ({ topic, value }) => {
        if (isAway) throw new Error('Kafka is away');
        expect(topic).toBe(TOPICS.attempts);
        const { source, delivery } = decodeOutcome(value as Buffer);
        expect(delivery).toMatchObject({ subscriptionId: id, state: 'held', reason: 'subscription-paused' });
        held.push(source.offset);
        return { partition: 0, offset: 0 };
      },
    };
    // Each time it is another process that keeps: it knows nothing of the round before.
    const round = (of: AgedOutRecord): Promise<AgedOutRecord[]> =>
      keep([of], undefined, undefined, { output, rowsInARound: 1_000 });
    const offsets = (count: number): number[] => Array.from({ length: count }, (_, n) => event.offset + n);
    const [begun, ...more] = await round(record);
    expect([begun, ...more]).toEqual([{ ...record, recreated: 1_501 }]);
    expect(held).toEqual(offsets(1_000));
    const [span] = await rig.spans(id);
    expect(span?.from_offsets[event.partition]).toBe(event.offset);

    // History knows of these now, and the other one has got what it waited for.
    await knowHeld(id, held);
    await rig.record(brought, enabled.id, 'delivered');
    isAway = true;
    await expect(round(begun as AgedOutRecord)).rejects.toThrow('Kafka is away');
    isAway = false;
    expect(await round(begun as AgedOutRecord)).toEqual([{ ...record, state: 're-created', recreated: 1_501 }]);
    expect(held).toEqual(offsets(1_500));
  });

  it('writes down with its bounds what the log of the events has let go of as well', async () => {
    const { id, tenant } = await rig.subscribe();
    const [first, second] = (await rig.publish(tenant, ['a', 'b', 'c', 'd', 'e', 'f'])).filter(
      ({ partition }) => partition === 0,
    ) as [PublishedEvent, PublishedEvent];
    await rig.record([first, second], id, 'retrying');
    const cut: Bounds = async (topic) =>
      (await rig.log.bounds(topic)).map((each) =>
        topic === TOPICS.events && each.partition === 0 ? { ...each, low: second.offset } : each,
      );
    const lost = {
      partition: 0,
      first: first.offset,
      last: first.offset,
      firstAt: first.at,
      lastAt: first.at,
      deliveries: 1,
    };
    const record = gap(laneOf(id));
    expect(await keep([record], cut)).toEqual([
      { ...record, recreated: 1 },
      { ...record, lost: [lost], recreated: 1 },
      { ...record, state: 're-created', recreated: 1, lost: [lost] },
    ]);
  });

  it('leaves what another lane may still have, and buries what is left when that has let go as well', async () => {
    const { id, tenant } = await rig.subscribe();
    const [tried, silent, last] = (
      await rig.publish(
        tenant,
        Array.from({ length: 9 }, (_, i) => `t.${i}`),
      )
    ).filter(({ partition }) => partition === 0) as [PublishedEvent, PublishedEvent, PublishedEvent];
    await rig.record([tried, silent], id, 'retrying');
    await rig.record([last], id, 'pending');
    const cut: Bounds = async (topic) =>
      (await rig.log.bounds(topic)).map((each) =>
        topic === TOPICS.events && each.partition === 0 ? { ...each, low: last.offset } : each,
      );
    const record = gap(laneOf(id));
    const [waiting, ...others] = await keep([record], cut, () => ({ low: 4, next: 5 }));
    expect([waiting, ...others]).toEqual([{ ...record, recreated: 1 }]);
    expect(await buried(id)).toEqual([]);
    expect(await told(id)).toEqual([]);

    // The other lane has brought one of them meanwhile, and the catch-up what the log had.
    await rig.record([tried, last], id, 'delivered');
    const [, done] = await keep([waiting as AgedOutRecord], cut, () => ({ low: 5, next: 5 }));
    const { offset } = silent;
    expect(done).toMatchObject({
      state: 're-created',
      recreated: 1,
      lost: [{ first: offset, last: offset, deliveries: 1 }],
    });
    expect(await buried(id)).toEqual([`0:${offset}-${offset + 1}`]);
    expect(await told(id)).toEqual([`${deliveryIdsOf([silent], id)[0]} dead-lettered let-go`]);
  });

  /** The ranges that were dead-lettered for a subscription, as `partition:from-to`. */
  async function buried(id: string): Promise<string[]> {
    return (await readFrom(TOPICS.deadLetters, new Map()))
      .filter(({ key }) => String(key) === id)
      .map(({ headers }) => {
        expect(String(headers['reason'])).toBe('let-go');
        const { partition, from, to } = JSON.parse(String(headers['held-range'])) as HeldRange;
        return `${partition}:${from}-${to}`;
      });
  }

  /** What history will know of a subscription's deliveries by the log: their ids, states and reasons. */
  async function told(id: string): Promise<string[]> {
    return (await readFrom(TOPICS.attempts, new Map()))
      .map(({ value }) => decodeOutcome(value).delivery)
      .filter((delivery) => delivery?.subscriptionId === id)
      .map((delivery) => `${delivery?.id} ${delivery?.state} ${delivery?.reason}`);
  }

  it('What neither the lane nor the log has ends in dead letters with exact bounds, and in history; also members of wide hand-overs, and not twice', async () => {
    const { id, tenant } = await rig.subscribe();
    const [a, b, delivered, c, wide, last] = (
      await rig.publish(
        tenant,
        Array.from({ length: 18 }, (_, i) => `t.${i}`),
      )
    ).filter(({ partition }) => partition === 0) as [
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
      PublishedEvent,
    ];
    await rig.record([a, c], id, 'retrying');
    await rig.record([b], id, 'pending');
    await rig.record([delivered], id, 'delivered');
    await rig.record([last], id, 'pending');
    await rig.decide([wide], [id, 'sub_other']);
    await rig.recordEvents([wide]);
    const cut: Bounds = async (topic) =>
      (await rig.log.bounds(topic)).map((each) =>
        topic === TOPICS.events && each.partition === 0 ? { ...each, low: last.offset } : each,
      );
    const record = gap(laneOf(id));
    const [done] = over(await keep([record], cut));
    expect(done).toMatchObject({ state: 're-created', recreated: 1, lost: [{ first: a.offset, deliveries: 4 }] });
    expect(await buried(id)).toEqual([`0:${a.offset}-${b.offset + 1}`, `0:${c.offset}-${wide.offset + 1}`]);
    const ends = deliveryIdsOf([a, b, c, wide], id).map((delivery) => `${delivery} dead-lettered let-go`);
    expect((await told(id)).sort()).toEqual(ends);

    // A crash after history has taken that, and before it was marked: it says what was found, and tells nobody again.
    await rig.record([a, b, c, wide], id, 'dead-lettered');
    await rig.record([last], id, 'delivered');
    const { state: _, ...rest } = done as AgedOutRecord;
    expect(await keep([{ ...rest, state: 'found' }], cut)).toEqual([done]);
    expect(await buried(id)).toHaveLength(2);
  });

  it('lets a catch-up that is under way end first', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    await rig.record(await rig.publish(tenant, ['a']), id, 'pending');
    // Nobody has told the workers of its version: it waits.
    const found = gap(laneOf(id), { foundAt: Date.now() - 60_000, until: Date.now() });
    const first = await rig.catchUp(subscription, new Map(), { told: false });
    expect(await keep([found])).toEqual([{ ...found, recreated: 1 }]);
    await rig.database.query(`UPDATE replays SET status = 'completed', finished_at = now() WHERE id = $1`, [first]);
    expect(over(await keep([found]))).toMatchObject([{ state: 're-created' }]);
    expect(await catchUpsOf(id)).toHaveLength(2);
  });

  it('a catch-up whose lane aged out does not wait for ever: it is cancelled, and the next one brings what it had there', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const old = await rig.catchUp(subscription, new Map(), { told: false });
    await rig.record(await rig.publish(tenant, ['a']), id, 'pending', old);
    // Whatever the clocks of this machine and of PostgreSQL say: it was there when the loss was found.
    await rig.database.query(`UPDATE replays SET created_at = now() - interval '1 hour' WHERE id = $1`, [old]);
    expect(over(await keep([gap(laneOf(id))]))).toMatchObject([{ state: 're-created', recreated: 1 }]);
    const catchUps = await catchUpsOf(id);
    expect(catchUps.map((each) => (each as { status?: string }).status).sort()).toEqual(['cancelled', 'pending']);
    expect((await rig.replay(old))['status']).toBe('cancelled');
  });

  it('says of events that nobody read that they are lost', async () => {
    const record = gap(2, { topic: TOPICS.events, group: 'hookline.delivery.events', since: 1_000, until: 9_000 });
    expect(await keep([record])).toEqual([
      {
        ...record,
        state: 'lost',
        lost: [{ partition: 2, first: 7, last: 19, firstAt: 1_000, lastAt: 9_000, deliveries: 0 }],
      },
    ]);
  });
});
