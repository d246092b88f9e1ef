import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutcomeRecord } from '@hookline/contracts';
import { createTestDatabase, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { DayPartitions } from '../history/day-partitions.js';
import { OUTBOX_CHANNEL } from '../management/enqueue.js';
import { migrate } from '../migrate.js';
import { createPool } from '../pool.js';
import { databaseConfig } from '../testing/database-config.js';
import { HistoryWriter, type WrittenRows } from './history-writer.js';
import { readOffsets } from './recorder-offsets.js';

const AT = Date.UTC(2020, 1, 29, 12);
const DEADLINE_MS = 60_000;
const never = new AbortController().signal;

/** What the log says: the subscription, the version that its worker knew, and the append time. */
type Said = [subscriptionId: string, version: number, at?: number];

describe('410 Gone', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let pool: Pool;
  let next: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    dataSource = await createDataSource(databaseConfig(database.url)).initialize();
    await migrate(dataSource);
    pool = createPool(databaseConfig(database.url), () => undefined);
    next = 0;
    await pool.query("INSERT INTO tenants VALUES ('ten_1', 'One')");
    for (const id of ['sub_a', 'sub_b', 'sub_c'])
      await pool.query(
        `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version, ordering, rate_limit,
           max_in_flight, updated_at)
         VALUES ($1, 'ten_1', 'http://x', '{a.*}', 'enabled', 'sealed', 7, 'key', '{"perSecond": 0.5, "burst": 2}', 3,
           '2020-01-01T00:00:00Z')`,
        [id],
      );
  });
  afterEach(async () => {
    await pool.end();
    await dataSource.destroy();
    await database.drop();
  });

  function outcomeOf([subscriptionId, version, at = AT]: Said, offset: number) {
    const outcome: OutcomeRecord = {
      v: 1,
      tenant: 'ten_1',
      eventId: `evt_${offset}`,
      type: 'a.b',
      source: { partition: 0, offset, at: AT },
      gone: { subscriptionId, version },
    };
    return { position: { partition: 0, offset, at }, outcome };
  }

  async function write(...said: Said[]): Promise<WrittenRows> {
    const partition = { topic: 'attempts', partition: 0 };
    if (next === 0) await readOffsets(pool, [partition]);
    const outcomes = said.map((each, index) => outcomeOf(each, next + index));
    const moves = [{ ...partition, expected: next, next: next + said.length }];
    next += said.length;
    return new HistoryWriter(pool, new DayPartitions()).write({ moves, events: [], outcomes }, never);
  }

  const row = async (id: string): Promise<unknown> =>
    (
      await pool.query(
        'SELECT status, version, disabled_reason, disabled_at, updated_at FROM subscriptions WHERE id = $1',
        [id],
      )
    ).rows[0];
  const outbox = async (): Promise<{ key: string; version: number; payload: unknown }[]> =>
    (await pool.query('SELECT key, version, payload FROM outbox ORDER BY id')).rows;
  const untouched = { status: 'enabled', version: 7, disabled_reason: null, disabled_at: null };

  it('disables the subscription by the time of the log, once however often it is said, and tells the workers', async () => {
    expect(await write(['sub_b', 7, AT + 20], ['sub_a', 7], ['sub_b', 7, AT + 10])).toMatchObject({ subscriptions: 2 });
    const at = new Date(AT + 10);
    const disabled = { status: 'disabled', version: 8, disabled_reason: 'endpoint-gone', disabled_at: at };
    expect(await row('sub_b')).toEqual({ ...disabled, updated_at: at });
    expect(await row('sub_c')).toMatchObject(untouched);
    // Said again by attempts that were under way then, in a later batch.
    expect(await write(['sub_b', 7], ['sub_a', 7])).toMatchObject({ subscriptions: 0 });
    expect(await row('sub_b')).toMatchObject(disabled);

    const rows = await outbox();
    expect(rows.map(({ key, version }) => [key, version]).sort()).toEqual([
      ['sub_a', 8],
      ['sub_b', 8],
    ]);
    expect(rows.find(({ key }) => key === 'sub_b')?.payload).toEqual({
      v: 1,
      version: 8,
      id: 'sub_b',
      tenant: 'ten_1',
      url: 'http://x',
      types: ['a.*'],
      status: 'disabled',
      ordering: 'key',
      rateLimit: { perSecond: 0.5, burst: 2 },
      maxInFlight: 3,
      sealed: 'sealed',
    });
  });

  it('leaves alone what was changed, enabled again, disabled or deleted since, and what never was', async () => {
    await pool.query("UPDATE subscriptions SET version = 8 WHERE id = 'sub_a'");
    await pool.query("UPDATE subscriptions SET status = 'disabled', disabled_reason = 'owner' WHERE id = 'sub_b'");
    await pool.query("UPDATE subscriptions SET status = 'deleted', version = 8 WHERE id = 'sub_c'");
    const before = await Promise.all(['sub_a', 'sub_b', 'sub_c'].map(row));
    const rows = await write(['sub_a', 7], ['sub_a', 6], ['sub_b', 7], ['sub_c', 7], ['sub_c', 8], ['sub_z', 1]);
    expect(rows).toMatchObject({ subscriptions: 0 });
    expect(await Promise.all(['sub_a', 'sub_b', 'sub_c'].map(row))).toEqual(before);
    expect(await outbox()).toEqual([]);
  });

  it('waits for an owner who is changing it at that moment, and then leaves it alone', async () => {
    const owner = await pool.connect();
    try {
      await owner.query('BEGIN');
      await owner.query("UPDATE subscriptions SET version = 8, url = 'http://new' WHERE id = 'sub_a'");
      const writing = write(['sub_a', 7]);
      await waitUntil(
        async () => (await pool.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).rows.length > 0,
        { deadlineMs: DEADLINE_MS, what: 'the recorder to wait for the owner' },
      );
      await owner.query('COMMIT');
      expect(await writing).toMatchObject({ subscriptions: 0 });
    } finally {
      owner.release();
    }
    expect(await row('sub_a')).toMatchObject({ ...untouched, version: 8 });
    expect(await outbox()).toEqual([]);
  });

  it('calls the publisher with the commit', async () => {
    const listener = await pool.connect();
    try {
      const calls: string[] = [];
      listener.on('notification', ({ channel }) => calls.push(channel));
      await listener.query(`LISTEN ${OUTBOX_CHANNEL}`);
      await write(['sub_a', 6]);
      await write(['sub_a', 7], ['sub_b', 7]);
      await waitUntil(async () => calls.length > 0, { deadlineMs: DEADLINE_MS, what: 'the notification' });
      await listener.query('SELECT 1');
      expect(calls).toEqual([OUTBOX_CHANNEL]);
    } finally {
      listener.release(true);
    }
  });
});
