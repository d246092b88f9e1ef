import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutcomeRecord } from '@hookline/contracts';
import { waitUntil } from '@hookline/testing';
import type { Pool } from 'pg';
import { REPLAY_CHANNEL } from '../management/catch-up.js';
import { OUTBOX_CHANNEL } from '../management/enqueue.js';
import type { OutcomeToRecord } from './attempt-rows.js';
import type { WrittenRows } from './history-writer.js';
import { HistoryRig } from './testing/history-rig.js';

const AT = Date.UTC(2020, 1, 29, 12);
const DEADLINE_MS = 60_000;
/** What an outcome says of a subscription, by its id and the version that its worker knew. */
type Said = [id: string, version: number, at?: number, word?: 'gone' | 'full' | 'low'];

let rig: HistoryRig;
let pool: Pool;

beforeEach(async () => {
  rig = await HistoryRig.open();
  ({ pool } = rig);
  for (const id of ['sub_a', 'sub_b', 'sub_c'])
    await pool.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version, ordering, rate_limit,
         max_in_flight, updated_at)
       VALUES ($1, 'ten_1', 'http://x', '{a.*}', 'enabled', 'sealed', 7, 'key', '{"perSecond": 0.5, "burst": 2}', 3,
         '2020-01-01T00:00:00Z')`,
      [id],
    );
});
afterEach(() => rig.close());

function write(...said: Said[]): Promise<WrittenRows> {
  return rig.write(
    ...said.map(([id, version, at = AT, word = 'gone'], offset): OutcomeToRecord => {
      const outcome: OutcomeRecord = {
        v: 1,
        tenant: 'ten_1',
        eventId: `evt_${offset}`,
        type: 'a.b',
        source: { partition: 0, offset, at: AT },
        ...(word === 'gone'
          ? { gone: { subscriptionId: id, version } }
          : { backlog: { subscriptionId: id, version, is: word } }),
      };
      return { position: { partition: 0, offset, at }, outcome };
    }),
  );
}

async function row(id: string): Promise<unknown> {
  const columns = 'status, version, disabled_reason, disabled_at, updated_at';
  return (await pool.query(`SELECT ${columns} FROM subscriptions WHERE id = $1`, [id])).rows[0];
}

async function outbox(): Promise<{ key: string; version: number; payload: unknown }[]> {
  return (await pool.query('SELECT key, version, payload FROM outbox ORDER BY id')).rows;
}

const untouched = { status: 'enabled', version: 7, disabled_reason: null, disabled_at: null };

describe('410 Gone', () => {
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
      disabled: { by: 'endpoint-gone', at: AT + 10 },
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

describe('too much waiting', () => {
  interface Held {
    status: string;
    version: number;
    held_back: boolean;
    epoch: number;
    catching_up: string | null;
  }
  async function held(id: string): Promise<Held | undefined> {
    const columns = 'status, version, held_back, epoch, catching_up';
    return (await pool.query<Held>(`SELECT ${columns} FROM subscriptions WHERE id = $1`, [id])).rows[0];
  }
  const replays = async () =>
    (await pool.query('SELECT * FROM replays ORDER BY subscription_id')).rows as Record<string, unknown>[];

  it('holds the subscription back once, and lets it go on with a catch-up over what was held', async () => {
    await pool.query("UPDATE subscriptions SET ordering = 'none' WHERE id = 'sub_b'");
    const full: Said[] = [
      ['sub_a', 7, AT + 1, 'full'],
      ['sub_b', 7, AT, 'full'],
      ['sub_a', 7, AT, 'full'],
    ];
    expect(await write(...full)).toMatchObject({ subscriptions: 2 });
    // Said again, and by somebody who does not know yet that it was heard.
    expect(await write(...full, ['sub_a', 7, AT, 'low'])).toMatchObject({ subscriptions: 0 });
    const back = { status: 'enabled', version: 8, held_back: true, epoch: 0, catching_up: null };
    expect([await held('sub_a'), await held('sub_b')]).toEqual([back, back]);
    expect(await outbox()).toMatchObject([
      { version: 8, payload: { status: 'enabled', heldBack: true } },
      { version: 8, payload: { status: 'enabled', heldBack: true } },
    ]);
    expect(await replays()).toEqual([]);

    expect(await write(['sub_a', 8, AT, 'full'], ['sub_a', 8, AT, 'low'], ['sub_b', 8, AT, 'low'])).toMatchObject({
      subscriptions: 2,
    });
    const [ordered, other] = await replays();
    const on = { status: 'enabled', version: 9, held_back: false, epoch: 0 };
    expect(await held('sub_a')).toEqual({ ...on, catching_up: ordered?.['id'] });
    expect(await held('sub_b')).toEqual({ ...on, catching_up: null });
    const backlog = { kind: 'backlog', tenant_id: 'ten_1', status: 'pending', partitions: {} };
    expect(ordered).toMatchObject({ ...backlog, subscription_id: 'sub_a', spec: { version: 9, from: null } });
    expect(other).toMatchObject({ ...backlog, subscription_id: 'sub_b', spec: { subscriptionIds: ['sub_b'] } });
    const last = (await outbox()).filter(({ version }) => version === 9);
    expect(last.find(({ key }) => key === 'sub_a')?.payload).toMatchObject({ catchingUp: ordered?.['id'] });
    for (const { payload } of last) expect(payload).not.toHaveProperty('heldBack');
    for (const { payload } of last) expect(payload).not.toHaveProperty('epoch');
  });

  it('says nothing of what was paused, disabled, deleted or changed since', async () => {
    await pool.query("UPDATE subscriptions SET status = 'paused' WHERE id = 'sub_a'");
    await pool.query("UPDATE subscriptions SET held_back = true, status = 'disabled' WHERE id = 'sub_b'");
    await pool.query("UPDATE subscriptions SET held_back = true, version = 8 WHERE id = 'sub_c'");
    const before = await Promise.all(['sub_a', 'sub_b', 'sub_c'].map(held));
    const said = ['sub_a', 'sub_b', 'sub_c', 'sub_z'].flatMap((id): Said[] => [
      [id, 7, AT, 'full'],
      [id, 7, AT, 'low'],
    ]);
    expect(await write(...said)).toMatchObject({ subscriptions: 0 });
    expect(await Promise.all(['sub_a', 'sub_b', 'sub_c'].map(held))).toEqual(before);
    expect([...(await outbox()), ...(await replays())]).toEqual([]);
  });

  it('lets one that is catching up in order end that first', async () => {
    await pool.query("UPDATE subscriptions SET held_back = true, catching_up = 'rpl_1' WHERE id = 'sub_a'");
    expect(await write(['sub_a', 7, AT, 'low'])).toMatchObject({ subscriptions: 0 });
    await pool.query("UPDATE subscriptions SET version = 8, catching_up = NULL WHERE id = 'sub_a'");
    expect(await write(['sub_a', 8, AT, 'low'])).toMatchObject({ subscriptions: 1 });
  });

  it('counts for nothing where the endpoint is gone, which ends its catch-ups as well', async () => {
    await pool.query(
      `INSERT INTO replays (id, tenant_id, kind, subscription_id, status, spec) VALUES
         ('rpl_1', 'ten_1', 'catch-up', 'sub_a', 'running', '{}'), ('rpl_2', 'ten_1', 'replay', 'sub_a', 'running', '{}'),
         ('rpl_3', 'ten_1', 'backlog', 'sub_b', 'pending', '{}')`,
    );
    await pool.query("UPDATE subscriptions SET catching_up = 'rpl_1' WHERE id = 'sub_a'");
    expect(await write(['sub_a', 7, AT, 'full'], ['sub_a', 7, AT, 'gone'])).toMatchObject({ subscriptions: 1 });
    expect(await held('sub_a')).toMatchObject({ status: 'disabled', held_back: false, catching_up: null });
    const states = (await replays()).map(({ id, status, finished_at: at }) => [id, status, at !== null]);
    expect(states.sort()).toEqual([
      ['rpl_1', 'cancelled', true],
      ['rpl_2', 'running', false],
      ['rpl_3', 'pending', false],
    ]);
  });

  it('calls whoever runs replays with the commit', async () => {
    await pool.query('UPDATE subscriptions SET held_back = true');
    const listener = await pool.connect();
    try {
      const calls = new Set<string>();
      listener.on('notification', ({ channel }) => calls.add(channel));
      await listener.query(`LISTEN ${OUTBOX_CHANNEL}; LISTEN ${REPLAY_CHANNEL}`);
      await write(['sub_a', 7, AT, 'low']);
      await waitUntil(async () => calls.size === 2, { deadlineMs: DEADLINE_MS, what: 'both notifications' });
    } finally {
      listener.release(true);
    }
  });
});
