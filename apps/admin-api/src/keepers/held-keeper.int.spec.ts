import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeOutcome, TOPICS, type HeldRange } from '@hookline/contracts';
import type { OutgoingRecord, Output } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';
import { HeldKeeper } from './held-keeper.js';
import { SpanKeeper } from './span-keeper.js';
import { UNBROUGHT } from './unbrought.js';

const never = new AbortController().signal;

describe('the keeper of what is held one by one', () => {
  let rig: ReplayRig;
  let written: OutgoingRecord[];
  let refused: string | undefined;
  let keeper: HeldKeeper;
  let lows: number[];
  /** How far the outcomes go that history is to have. */
  let told: number;
  const clock = new TestClock();
  const output: Output = {
    produce: async (record) => {
      if (record.topic === refused) throw new Error('Kafka is away');
      written.push(record);
      return { partition: 0, offset: 0 };
    },
  };
  const log = {
    bounds: async (topic: string) =>
      topic === TOPICS.events
        ? lows.map((low, partition) => ({ partition, low, high: 1_000_000 }))
        : [{ partition: 0, low: 0, high: told }],
  };

  beforeAll(async () => {
    rig = await ReplayRig.start();
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    await rig.database.query('DELETE FROM deliveries');
    await rig.database.query('DELETE FROM replays');
    [written, refused, lows, told] = [[], undefined, [0, 0, 0], 0];
    keeper = new HeldKeeper(log, output, clock);
  });

  async function keep(): Promise<void> {
    const session = await rig.openSession();
    try {
      clock.advance(60_000);
      await keeper.round(session, never);
    } finally {
      await session.close();
    }
  }

  const lettersOf = (id: string) =>
    written
      .filter(({ topic, key }) => topic === TOPICS.deadLetters && key === id)
      .map(({ headers }) => {
        const { partition, from, to } = JSON.parse(String(headers?.['held-range'])) as HeldRange;
        return { partition, from, to, reason: String(headers?.['reason']) };
      });

  const ended = () =>
    written
      .filter(({ topic }) => topic === TOPICS.attempts)
      .map(({ value }) => decodeOutcome(value as Buffer).delivery)
      .map((delivery) => `${delivery?.id} ${delivery?.state} ${delivery?.reason}`)
      .sort();

  /** Nine events, of which the log begins behind the first two of partition 0. */
  async function publish(tenant: string): Promise<PublishedEvent[]> {
    const events = await rig.publish(
      tenant,
      Array.from({ length: 9 }, (_, n) => `t.${n}`),
    );
    const first = events.filter(({ partition }) => partition === 0);
    lows = [(first[2] as PublishedEvent).offset, 0, 0];
    return events;
  }

  it('buries what was on its way when its subscription was paused, once the log has let go of its event', async () => {
    const { id, tenant } = await rig.subscribe();
    const events = await publish(tenant);
    await rig.record(events, id, 'held');
    const gone = events.filter(({ partition, offset }) => partition === 0 && offset < (lows[0] as number));
    expect(gone).toHaveLength(2);
    await keep();
    const from = (gone[0] as PublishedEvent).offset;
    expect(lettersOf(id)).toEqual([{ partition: 0, from, to: from + 2, reason: 'let-go' }]);
    expect(ended()).toEqual(deliveryIdsOf(gone, id).map((each) => `${each} dead-lettered let-go`));
  });

  it('writes the letters again, and no end before them, where Kafka was away', async () => {
    const { id, tenant } = await rig.subscribe();
    await rig.record(await publish(tenant), id, 'held');
    refused = TOPICS.deadLetters;
    await expect(keep()).rejects.toThrow('Kafka is away');
    expect(written).toEqual([]);
    refused = undefined;
    await keep();
    expect(lettersOf(id)).toHaveLength(1);
    expect(ended()).toHaveLength(2);
  });

  it('says nothing twice while history has not heard of it', async () => {
    const { id, tenant } = await rig.subscribe();
    await rig.record(await publish(tenant), id, 'held');
    await keep();
    told = 2_000_000_000;
    await keep();
    await keep();
    expect(ended()).toHaveLength(2);
  });

  it('looks at nothing before history has what was written before, as in a rebuilt database', async () => {
    const { id, tenant } = await rig.subscribe();
    const events = await publish(tenant);
    await rig.record(events, id, 'held');
    // That they are delivered since is written; history has not come so far.
    told = 2_000_000_000;
    await keep();
    expect(written).toEqual([]);
    await rig.record(events, id, 'delivered');
    await rig.recordUpTo(told);
    await keep();
    expect(written).toEqual([]);
    await rig.recordUpTo(1_000_000_000);
  });

  it('waits neither for replays of others nor for those that rest and are known, nor for what was superseded', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    await rig.record(await publish(tenant), id, 'held');
    const none = new Map([[0, 1]]);
    // At work for another one of the tenant.
    await rig.catchUp(await rig.subscribe(['*'], tenant), none);
    // Superseded by a later one, which is complete: what the lane had of it has no outcome any more.
    const superseded = await rig.catchUp(subscription, none);
    const later = await rig.catchUp(subscription, none);
    const asked = await rig.catchUp(subscription, none);
    const rest = (replay: string, change: string): Promise<unknown> =>
      rig.database.query(`UPDATE replays SET ${change} WHERE id = $1`, [replay]);
    await rest(superseded, `status = 'cancelled', finished_at = now() - interval '1 hour', sent = 5`);
    await rest(superseded, `updated_at = now() - interval '1 hour'`);
    await rest(later, `status = 'completed', finished_at = now(), version = 4`);
    await rest(asked, `kind = 'replay', subscription_id = NULL, status = 'paused', spec = '{}'`);
    // It was paused just now: it may be handing something over that it has not counted yet.
    await keep();
    expect(written).toEqual([]);
    await rest(asked, `updated_at = now() - interval '1 hour', sent = 1`);
    await keep();
    expect(written).toEqual([]);
    await rest(asked, 'sent = 0');
    await keep();
    expect(ended()).toHaveLength(2);
  });

  /** A catch-up that has ended an hour ago, with what it had handed over by then. */
  async function catchUpThatEnded(
    subscription: { id: string; tenant: string },
    status: 'cancelled' | 'completed',
    next: readonly number[],
    result: object = {},
  ): Promise<string> {
    const to = new Map(lows.map((_, partition) => [partition, 1_000_000]));
    const replay = await rig.catchUp(subscription, to);
    const partitions = Object.fromEntries(
      next.map((at, partition) => [partition, { from: 0, next: at, to: 1_000_000 }]),
    );
    await rig.database.query(
      `UPDATE replays SET status = $2, partitions = $3, result = $4, finished_at = now() - interval '1 hour',
              updated_at = now() - interval '1 hour', told_at = now() - interval '1 hour' WHERE id = $1`,
      [replay, status, JSON.stringify(partitions), JSON.stringify(result)],
    );
    await rig.database.query(
      `UPDATE deliveries SET updated_at = now() - interval '2 hours' WHERE subscription_id = $1`,
      [subscription.id],
    );
    return replay;
  }

  const superseded = 'held catch-up-ended';

  it('A cancelled catch-up: what it had superseded and not handed over is held, once, and what it had handed over or another replay brings is left alone', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const events = await publish(tenant);
    lows = [0, 0, 0];
    const [first, second, third] = [0, 1, 2].map((of) => events.filter(({ partition }) => partition === of));
    const next = [(first as PublishedEvent[])[1] as PublishedEvent, ...[second, third].map((its) => its?.[0])];
    await rig.record(first ?? [], id, 'retrying');
    await rig.record(second ?? [], id, 'pending');
    await rig.record(third ?? [], id, 'delivered');
    const others = await rig.catchUp(await rig.subscribe(['*'], tenant), new Map([[0, 1]]));
    await rig.database.query(`UPDATE replays SET kind = 'replay', subscription_id = NULL WHERE id = $1`, [others]);
    await rig.database.query(`UPDATE deliveries SET replay_id = $2 WHERE subscription_id = $1 AND event_id = $3`, [
      id,
      others,
      second?.[2]?.id,
    ]);
    await catchUpThatEnded(
      subscription,
      'cancelled',
      next.map((event) => event?.offset ?? 0),
    );
    const left = [...(first ?? []).slice(1), ...(second ?? []).slice(0, 2)];
    await keep();
    expect(ended()).toEqual(deliveryIdsOf(left, id).map((each) => `${each} ${superseded}`));
    await keep();
    await keep();
    expect(ended()).toHaveLength(left.length);
  });

  it('What waits in a long tier when its catch-up is cancelled may be of the new epoch: it is held when it was due and nothing was told of it', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const [superseded, tried, inNoTier] = (await publish(tenant)).slice(0, 3) as PublishedEvent[];
    lows = [0, 0, 0];
    const all = [superseded, tried, inNoTier] as PublishedEvent[];
    await rig.record(all, id, 'retrying');
    const replay = await catchUpThatEnded(subscription, 'cancelled', [0, 0, 0]);
    const due = (event: PublishedEvent | undefined, inMinutes: number): Promise<unknown> =>
      rig.database.query(
        `UPDATE deliveries SET next_attempt_at = now() + $3 * interval '1 minute'
          WHERE subscription_id = $1 AND event_id = $2`,
        [id, event?.id, inMinutes],
      );
    await due(superseded, 600);
    await due(tried, 300);
    await keep();
    const held = (events: (PublishedEvent | undefined)[]): string[] =>
      deliveryIdsOf(events as PublishedEvent[], id).map((each) => `${each} held catch-up-ended`);
    expect(ended()).toEqual(held([inNoTier]));
    await rig.record([inNoTier as PublishedEvent], id, 'held');
    const { resume_at, looked_through_at } = await rig.replay(replay);
    const { now } = ((await rig.database.query('SELECT now() AS now')) as { now: Date }[])[0] as { now: Date };
    expect(looked_through_at).toBeNull();
    // When the first of them was due, and a while for its owner: not before.
    expect((resume_at as Date).getTime()).toBeGreaterThan(now.getTime());
    expect((resume_at as Date).getTime()).toBeLessThan(now.getTime() + 310 * 60_000);

    // Ten hours later: one was tried again, of the other nothing was told.
    const later = (): Promise<unknown> =>
      rig.database.query('UPDATE replays SET resume_at = now() WHERE id = $1', [replay]);
    await later();
    await due(superseded, -10);
    await rig.database.query(
      `UPDATE deliveries SET updated_at = now(), next_attempt_at = now() + interval '1 hour'
        WHERE subscription_id = $1 AND event_id = $2`,
      [id, tried?.id],
    );
    await keep();
    expect(ended()).toEqual(held([superseded, inNoTier]));
    expect((await rig.replay(replay))['looked_through_at']).not.toBeNull();
  });

  it('What is unbrought is paged in the order of an index: each page looks at its own rows only, and none is missed or told twice', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const [event] = (await publish(tenant)) as [PublishedEvent];
    lows = [0, 0, 0];
    await rig.record([event], id, 'retrying');
    const replay = await catchUpThatEnded(subscription, 'cancelled', [0, 0, 0]);
    // Many of one moment, so that a page ends amid them; the offsets go against the times, and behind the event's own.
    await rig.database.query(
      `INSERT INTO deliveries (delivery_id, event_at, event_partition, event_offset, tenant_id, subscription_id, event_id,
         type, state, attempts, sole_match, updated_at, outcome_offset)
       SELECT gen_random_uuid(), event_at - (n / 700) * interval '1 ms', 1, 100000 + n, tenant_id, subscription_id, 'e' || n,
         type, 'retrying', 1, false, updated_at, 0
         FROM deliveries, generate_series(1, 20000) AS s(n) WHERE subscription_id = $1`,
      [id],
    );
    await rig.database.query('ANALYZE deliveries');
    const place = [new Date(event.at - 10), '80000000-0000-0000-0000-000000000000'];
    const plan = await rig.database.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${UNBROUGHT}`,
      [replay, ...place, 1_000],
    );
    // A page, and what shares a moment with its first and its last, of the 7,000 that are left.
    expect(rowsLookedAt(plan[0]?.['QUERY PLAN'][0]?.Plan)).toBeLessThan(3_000);

    await keep();
    const told = written.filter(({ topic }) => topic === TOPICS.attempts);
    const offsets = told
      .map(({ value }) => decodeOutcome(value as Buffer).source)
      .map((at) => `${at.partition}/${at.offset}`);
    expect(offsets).toHaveLength(20_001);
    expect(new Set(offsets).size).toBe(20_001);
    expect((await rig.replay(replay))['looked_through_at']).not.toBeNull();
  });

  it('A catch-up that found the log cut: what it had superseded there is held, and ends with its dead letter', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const events = await publish(tenant);
    const gone = events.filter(({ partition, offset }) => partition === 0 && offset < (lows[0] as number));
    await rig.record(events, id, 'retrying');
    const from = (gone[0] as PublishedEvent).offset;
    await catchUpThatEnded(subscription, 'completed', [1_000_000, 1_000_000, 1_000_000], {
      gone: [{ partition: 0, from, to: from + 2 }],
    });
    await keep();
    expect(ended()).toEqual(deliveryIdsOf(gone, id).map((each) => `${each} ${superseded}`));
    await rig.record(gone, id, 'held');
    written = [];
    await keep();
    expect(lettersOf(id)).toEqual([{ partition: 0, from, to: from + 2, reason: 'let-go' }]);
    expect(ended()).toEqual(deliveryIdsOf(gone, id).map((each) => `${each} dead-lettered let-go`));
  });

  it('What is held one by one inside a span that aged out gets one letter, with the span, and an end of its own', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const events = await publish(tenant);
    const gone = events.filter(({ partition, offset }) => partition === 0 && offset < (lows[0] as number));
    await rig.record(gone, id, 'held');
    const from = (gone[0] as PublishedEvent).offset;
    await rig.hold(subscription, new Map([[0, from]]), new Map([[0, from + 2]]));
    // The span is there still: it is for its keeper to say what becomes of it.
    await keep();
    expect(written).toEqual([]);
    const session = await rig.openSession();
    await new SpanKeeper(log, output).round(session, never);
    await session.close();
    const range = { partition: 0, from, to: from + 2, reason: 'let-go' };
    expect(lettersOf(id)).toEqual([range]);
    await keep();
    expect(lettersOf(id)).toEqual([range]);
    expect(ended()).toEqual(deliveryIdsOf(gone, id).map((each) => `${each} dead-lettered let-go`));
  });

  it('buries all that a deleted subscription has not got', async () => {
    const { id, tenant } = await rig.subscribe();
    const events = await publish(tenant);
    lows = [0, 0, 0];
    await rig.record(events.slice(0, 5), id, 'held');
    await rig.record(events.slice(5), id, 'delivered');
    await keep();
    expect(written).toEqual([]);
    await rig.database.query(`UPDATE subscriptions SET status = 'deleted' WHERE id = $1`, [id]);
    await keep();
    expect(ended()).toEqual(
      deliveryIdsOf(events.slice(0, 5), id).map((each) => `${each} dead-lettered subscription-deleted`),
    );
    expect(lettersOf(id).reduce((sum, { from, to }) => sum + to - from, 0)).toBe(5);
  });

  it('leaves what a replay may be bringing until history knows of all of it', async () => {
    const subscription = await rig.subscribe();
    const { id, tenant } = subscription;
    const events = await publish(tenant);
    await rig.record(events, id, 'held');
    const replay = await rig.catchUp(subscription, new Map([[0, 1]]));
    await keep();
    expect(written).toEqual([]);
    await rig.database.query(`UPDATE replays SET status = 'completed', finished_at = now(), sent = 1 WHERE id = $1`, [
      replay,
    ]);
    await keep();
    expect(written).toEqual([]);
    const brought = events.filter(({ partition }) => partition === 0).slice(0, 1);
    await rig.record(brought, id, 'delivered', replay);
    await keep();
    expect(ended()).toHaveLength(1);
  });
});

interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Of the table of deliveries and its partitions. */
function rowsLookedAt(node: PlanNode | undefined): number {
  if (node === undefined) return 0;
  const { 'Actual Rows': rows, 'Actual Loops': loops, 'Rows Removed by Filter': removed = 0, Plans: below = [] } = node;
  const own = node['Relation Name']?.startsWith('deliveries') === true ? (rows + removed) * loops : 0;
  return below.reduce((sum, each) => sum + rowsLookedAt(each), own);
}
