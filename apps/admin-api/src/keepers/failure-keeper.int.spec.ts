import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type TestDatabase, waitUntil } from '@hookline/testing';
import { migratedDatabase } from '../testing/admin-rig.js';
import { FailingRig, HOUR_MS, MINUTE_MS } from '../testing/failing-rig.js';
import { FAILING_VERSIONS, UNPROVEN, WARN } from './failing-rule.js';

const BEGAN = Date.UTC(2030, 0, 1, 12);
const untouched = { status: 'enabled', version: 1, disabled_reason: null, disabled_at: null };

/** Whoever waits for a lock in this database. */
const WAITING = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

let database: TestDatabase;
let rig: FailingRig;
let id: string;

beforeEach(async () => {
  database = await migratedDatabase();
  rig = await FailingRig.open(database.url, BEGAN);
  id = await rig.subscribe();
});
afterEach(async () => {
  await rig.close();
  await database.drop();
});

describe('a subscription to which nothing succeeds', () => {
  it('is warned of after an hour, 12 and 20, each once, and disabled after 24', async () => {
    rig.succeeds(id);
    await rig.failFor(id, 1);
    expect(rig.warned).toEqual([]);
    expect([...rig.keeper.counts()]).toEqual([['0', 1]]);
    const failingSince = new Date(BEGAN + HOUR_MS);
    const seen: (readonly [hour: number, warned: object[]])[] = [];
    for (let hour = 1; hour <= 23; hour += 1) {
      await rig.failFor(id, 1);
      if (rig.warned.length > 0) seen.push([hour, rig.warned.splice(0)]);
      expect(await rig.subscription(id)).toMatchObject(untouched);
    }
    const warning = (hours: number): object => ({ subscriptionId: id, failingSince, afterMs: hours * HOUR_MS });
    expect(seen).toMatchObject([1, 12, 20].map((hours) => [hours, [warning(hours)]]));
    expect([...rig.keeper.counts()]).toEqual([['72000', 1]]);

    await rig.failFor(id, 1);
    const disabled_at = new Date(BEGAN + 25 * HOUR_MS);
    const disabled = { status: 'disabled', disabled_reason: 'failing', disabled_at, version: 2 };
    expect(await rig.subscription(id)).toMatchObject(disabled);
    const { rows } = await rig.pool.query('SELECT key, version, payload FROM outbox');
    expect(rows).toMatchObject([{ key: id, version: 2, payload: { status: 'disabled' } }]);
    expect([...rig.keeper.counts()]).toEqual([]);
    // What was under way when it was disabled changes nothing.
    await rig.failFor(id, 3);
    expect(await rig.subscription(id)).toMatchObject(disabled);
  });

  it('goes on when one succeeds, of whatever is sent: a success resets', async () => {
    await rig.failFor(id, 24);
    rig.now += MINUTE_MS;
    rig.succeeds(id);
    await rig.failFor(id, 24);
    expect(await rig.subscription(id)).toMatchObject(untouched);
    await rig.failFor(id, 1);
    expect(await rig.subscription(id)).toMatchObject({ status: 'disabled' });
  });

  it('a subscription without due deliveries is never disabled', async () => {
    rig.fails(id);
    await rig.record();
    for (let hour = 0; hour < 72; hour += 1) {
      rig.now += HOUR_MS;
      // What is only put off is not tried: its worker may be full, and the endpoint well.
      rig.tell(id, { state: 'retrying', attempted: false });
      await rig.record();
      await rig.look();
    }
    expect(await rig.subscription(id)).toMatchObject(untouched);
    // Nor is it by the next one that fails, days later.
    await rig.failFor(id, 1);
    expect(await rig.subscription(id)).toMatchObject(untouched);
  });

  it('a database outage of a day of log time disables nobody', async () => {
    rig.fails(id);
    await rig.record();
    // Nobody records for more than a day: most of what is sent succeeds meanwhile, and some of it fails.
    for (let hour = 0; hour < 26; hour += 1) {
      rig.now += HOUR_MS;
      rig.tell(id, { state: 'delivered' }, 1);
      rig.now += 2 * MINUTE_MS;
      rig.fails(id);
    }
    // The database is there again, and the recorder begins with the partition that has the failures.
    await rig.record(0);
    await rig.look();
    await rig.lookAgain(30_000);
    expect(await rig.subscription(id)).toMatchObject(untouched);
    await rig.record(1);
    await rig.lookAgain(1_000);
    await rig.look();
    expect(await rig.subscription(id)).toMatchObject(untouched);
    expect(rig.warned).toEqual([]);
  });

  it('a recorder that lags disables nobody, and warns of nobody: only what it had in time is judged', async () => {
    for (let hour = 0; hour < 30; hour += 1) {
      rig.now += HOUR_MS;
      rig.othersSucceed();
      rig.fails(id);
      await rig.record();
    }
    rig.fails(id);
    await rig.look();
    await rig.lookAgain(rig.rules.recorderLagMs + 1_000);
    // By now it has that, but it took too long.
    await rig.record();
    rig.fails(id);
    await rig.lookAgain(1_000);
    expect(await rig.subscription(id)).toMatchObject(untouched);
    expect(rig.warned).toEqual([]);
    await rig.record();
    await rig.look();
    expect(await rig.subscription(id)).toMatchObject({ status: 'disabled' });
  });

  it('is warned of without a deadlock with the recorder: rows are locked by id', async () => {
    const ids = [id, await rig.subscribe(), await rig.subscribe()].sort();
    const [first, last] = [ids[0] as string, ids[2] as string];
    // In the table they stand the other way round.
    await rig.pool.query(
      `INSERT INTO subscription_health (subscription_id, failing_since, failed_at)
       SELECT id, $2, $3 FROM unnest($1::text[]) WITH ORDINALITY AS u(id, n) ORDER BY n DESC`,
      [ids, new Date(BEGAN), new Date(BEGAN + 2 * HOUR_MS)],
    );
    const [other, third, keeper] = [await rig.pool.connect(), await rig.pool.connect(), await rig.pool.connect()];
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM subscription_health WHERE subscription_id = $1 FOR UPDATE', [first]);
      // The planner may take the rows as they stand there.
      await keeper.query('SET enable_sort = off; SET enable_indexscan = off; SET enable_bitmapscan = off');
      await keeper.query('SET enable_nestloop = off; SET enable_mergejoin = off');
      const warned = keeper.query(WARN, [new Date(BEGAN + 2 * HOUR_MS), 6 * HOUR_MS, [HOUR_MS]]);
      await waitUntil(async () => (await third.query(WAITING)).rowCount === 1, {
        deadlineMs: 60_000,
        what: 'the warnings to wait for the lock',
      });
      const free = 'SELECT FROM subscription_health WHERE subscription_id = $1 FOR UPDATE NOWAIT';
      expect((await third.query(free, [last])).rowCount).toBe(1);
      await other.query('ROLLBACK');
      expect((await warned).rowCount).toBe(3);
    } finally {
      other.release();
      third.release();
      keeper.release(true);
    }
  });

  it('has a day again where it was enabled meanwhile, and is left alone while it is paused', async () => {
    await rig.failFor(id, 20);
    await rig.pool.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [id]);
    await rig.failFor(id, 6);
    expect(await rig.subscription(id)).toMatchObject({ status: 'paused' });
    await rig.pool.query(`UPDATE subscriptions SET status = 'enabled', enabled_at = $2 WHERE id = $1`, [
      id,
      new Date(rig.now),
    ]);
    rig.warned.splice(0);
    await rig.look();
    await rig.failFor(id, 24);
    expect(await rig.subscription(id)).toMatchObject(untouched);
    expect(rig.warned).toHaveLength(3);
    await rig.failFor(id, 1);
    expect(await rig.subscription(id)).toMatchObject({ status: 'disabled' });
  });

  it('ends its catch-up, and all that fail go at once', async () => {
    const others = await Promise.all([rig.subscribe(), rig.subscribe()]);
    await rig.pool.query(
      `INSERT INTO replays (id, tenant_id, kind, subscription_id, status, spec)
       SELECT 'rpl_' || id, tenant_id, 'catch-up', id, 'running', '{}' FROM subscriptions WHERE id = $1`,
      [id],
    );
    await rig.pool.query(`UPDATE subscriptions SET catching_up = 'rpl_' || id, held_back = true WHERE id = $1`, [id]);
    for (let hour = 0; hour <= 24; hour += 1) {
      rig.othersSucceed();
      for (const each of [id, ...others]) rig.fails(each);
      rig.now += HOUR_MS;
    }
    await rig.record();
    await rig.look();
    for (const each of [id, ...others]) expect(await rig.subscription(each)).toMatchObject({ status: 'disabled' });
    expect(await rig.subscription(id)).toMatchObject({ catching_up: null, held_back: false });
    const { rows } = await rig.pool.query('SELECT status FROM replays WHERE subscription_id = $1', [id]);
    expect(rows).toEqual([{ status: 'cancelled' }]);
  });

  describe("where it may be our own way out: a day's outage of it", () => {
    it('disables nobody: it is warned of, counted, and said in the log, once', async () => {
      const others = await Promise.all([rig.subscribe(), rig.subscribe()]);
      rig.isOnline = false;
      rig.othersSucceed();
      rig.now += HOUR_MS;
      for (let hour = 0; hour < 40; hour += 1) {
        for (const each of others) rig.fails(each);
        await rig.failFor(id, 1);
      }
      for (const each of [id, ...others]) expect(await rig.subscription(each)).toMatchObject(untouched);
      expect(rig.keeper.unprovenCount()).toBe(3);
      // When it was said the third one had not failed for a day yet.
      const said = rig.warned.filter((facts) => 'subscriptions' in facts);
      expect(said).toEqual([{ subscriptions: 2 }]);
      expect(rig.warned).toHaveLength(3 * 3 + said.length);
    });

    it('disables nobody when it is over, and each has its day again: the time counts from the first success of anybody', async () => {
      const recovering = await rig.subscribe();
      rig.isOnline = false;
      rig.othersSucceed();
      rig.now += HOUR_MS;
      for (let hour = 0; hour < 30; hour += 1) {
        rig.fails(recovering);
        await rig.failFor(id, 1);
      }
      // It works again. Some have not been tried since, and others fail once more.
      rig.now += MINUTE_MS;
      rig.succeeds(recovering);
      await rig.record();
      await rig.look();
      expect(await rig.subscription(id)).toMatchObject(untouched);
      rig.isOnline = true;
      await rig.failFor(id, 23);
      expect(await rig.subscription(id)).toMatchObject(untouched);
      expect(await rig.subscription(recovering)).toMatchObject(untouched);
      await rig.failFor(id, 1);
      expect(await rig.subscription(id)).toMatchObject({ status: 'disabled', disabled_reason: 'failing' });
      expect(await rig.subscription(recovering)).toMatchObject(untouched);
      expect(rig.keeper.unprovenCount()).toBe(0);
    });

    it('that begins while one fails already disables it neither: something has to have succeeded lately', async () => {
      await rig.failFor(id, 3);
      rig.isOnline = false;
      await rig.failFor(id, 30);
      expect(await rig.subscription(id)).toMatchObject(untouched);
      expect(rig.keeper.unprovenCount()).toBe(1);
      // Nobody fails any more: nobody is counted.
      rig.now += MINUTE_MS;
      rig.succeeds(id);
      await rig.record();
      await rig.look();
      await rig.look();
      expect(rig.keeper.unprovenCount()).toBe(0);
    });

    it('of many that get something once a day only, one that fails is disabled: silence alone says nothing', async () => {
      for (let hour = 0; hour < 60; hour += 1) {
        rig.isOnline = hour % 24 === 0;
        await rig.failFor(id, 1);
        if (hour < 24) expect(await rig.subscription(id)).toMatchObject(untouched);
      }
      expect(await rig.subscription(id)).toMatchObject({ status: 'disabled' });
    });

    it('can not be told from the only endpoint there is, that fails: it is left enabled, unless no proof is asked for', async () => {
      rig.isOnline = false;
      await rig.failFor(id, 100);
      expect(await rig.subscription(id)).toMatchObject(untouched);
      const now = rig.now;
      await rig.close();
      rig = await FailingRig.open(database.url, now, { HOOKLINE_FAILING_NEEDS_PROOF: 'false' });
      await rig.look();
      expect(await rig.subscription(id)).toMatchObject({ status: 'disabled', disabled_reason: 'failing' });
    });

    it('costs no look for each of those that fail: of 20,000 none is asked about by itself', async () => {
      const { gapMs, disableAfterMs } = rig.rules;
      const at = new Date(BEGAN + 40 * HOUR_MS);
      rig.othersSucceed();
      await rig.record();
      await rig.pool.query(`
        INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
        SELECT 'sub_' || n, tenant_id, url, types, status, sealed, version FROM subscriptions, generate_series(1, 20000) AS s(n)`);
      await rig.pool.query(
        `INSERT INTO subscription_health (subscription_id, failing_since, failed_at)
         SELECT 'sub_' || n, $1::timestamptz, $2::timestamptz - n * interval '1 s' FROM generate_series(1, 20000) AS s(n)`,
        [new Date(BEGAN + MINUTE_MS), at],
      );
      const parameters = [at, gapMs, disableAfterMs];
      const looks: number[] = [];
      for (const [sql, more] of [
        [FAILING_VERSIONS, [500, true]],
        [UNPROVEN, []],
      ] as const)
        // prettier-ignore
        looks.push(await looksAt('success_minutes', sql, [...parameters, ...more]));
      // Two each: the last one, and the last one a day ago.
      expect(Math.max(...looks)).toBeLessThanOrEqual(2);
      const [row] = (await rig.pool.query(UNPROVEN, parameters)).rows;
      expect(row).toEqual({ count: '20000' });
    });
  });
});

interface PlanNode {
  'Relation Name'?: string;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

/** How often a statement looks something up in a table. */
async function looksAt(table: string, sql: string, parameters: unknown[]): Promise<number> {
  const { rows } = await rig.pool.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`,
    parameters,
  );
  const count = ({ 'Relation Name': name, 'Actual Loops': loops, Plans: below = [] }: PlanNode): number =>
    (name === table ? loops : 0) + below.reduce((sum, node) => sum + count(node), 0);
  return rows.flatMap((row) => row['QUERY PLAN']).reduce((sum, { Plan: plan }) => sum + count(plan), 0);
}
