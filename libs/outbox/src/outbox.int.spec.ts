import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@hookline/testing';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { enqueueEvents } from './enqueue-events.js';
import { installOutbox } from './install-outbox.js';
import { DEFAULT_LIMITS } from './names.js';

describe('the outbox of a producer', () => {
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url });
    await installOutbox(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const rows = async () => (await pool.query('SELECT * FROM hookline_outbox ORDER BY seq')).rows;
  const publish = (args: string) => pool.query<{ id: string }>(`SELECT hookline_publish(${args}) AS id`);

  it('is made once, however many make it at once, and keeps its rows when it is made again', async () => {
    const fresh = await createTestDatabase();
    const clients = new pg.Pool({ connectionString: fresh.url });
    await Promise.all(Array.from({ length: 8 }, () => installOutbox(clients)));
    await clients.query(`SELECT hookline_publish('order.created', '{}')`);
    await clients.query('ALTER TABLE hookline_outbox DISABLE TRIGGER hookline_outbox_notify');
    await installOutbox(clients, { ...DEFAULT_LIMITS, maxIdLength: 5 });
    const { rows: kept } = await clients.query('SELECT type FROM hookline_outbox');
    expect(kept).toEqual([{ type: 'order.created' }]);
    await expect(clients.query(`SELECT hookline_publish('a', '{}', id => '123456')`)).rejects.toThrow(
      'id must have 1 to 5 characters',
    );
    const { rows: triggers } = await clients.query(
      "SELECT tgenabled FROM pg_trigger WHERE tgname = 'hookline_outbox_notify'",
    );
    expect(triggers).toEqual([{ tgenabled: 'D' }]);
    await clients.end();
    await fresh.drop();
  });

  it('is written to in plain SQL, by a function or an INSERT', async () => {
    const { rows: made } = await publish(`'order.created', '{"id": 1}', key => 'order-1'`);
    await pool.query(`INSERT INTO hookline_outbox (type, data) VALUES ('order.paid', '[1]')`);
    const [first, second] = (await rows()).slice(-2);
    expect(first).toMatchObject({ id: made[0]?.id, type: 'order.created', key: 'order-1', data: { id: 1 } });
    expect(first.id).toMatch(/^evt_[0-9a-f]{32}$/);
    expect(second).toMatchObject({ type: 'order.paid', key: null, tenant: null });
    expect(second.id).not.toBe(first.id);
  });

  it.each([
    ["'not a type', '{}'", 'type must be words'],
    ["'a.', '{}'", 'type must be words'],
    [`'${'a'.repeat(129)}', '{}'`, 'no longer than 128 characters'],
    ["'a', '{}', id => ''", 'id must have 1 to 128 characters'],
    [`'a', '{}', id => '${'a'.repeat(129)}'`, 'id must have 1 to 128 characters'],
    ["'a', '{}', id => E'a\\nb'", 'no control characters'],
    ["'a', '{}', id => E'a\\u0085b'", 'no control characters'],
    ["'a', '{}', key => ''", 'key must have 1 to 256 characters'],
    ["'a', to_json(repeat('x', 262143))", 'data must not be larger than 262144 bytes'],
    ["'a', '{}', at => 'infinity'", 'time must be in the years 1 to 9999'],
    ["'a', '{nope'", 'invalid input syntax for type json'],
  ])('refuses %s', async (args, message) => {
    await expect(publish(args)).rejects.toThrow(message);
  });

  it('takes what is just within the limits', async () => {
    const longest = (n: number): string => `'${'é'.repeat(n)}'`;
    const before = (await rows()).length;
    await publish(`'${'a'.repeat(128)}', to_json(repeat('x', 262142)), id => ${longest(128)}, key => ${longest(256)}`);
    await publish(`'a:b/c-d_e.f', 'null', at => '0001-01-03'`);
    expect((await rows()).length).toBe(before + 2);
  });

  it("is written to by TypeORM's manager, with its transaction", async () => {
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const before = (await rows()).length;
    const broken = source.transaction(async (manager) => {
      await enqueueEvents(manager, [{ type: 'never', data: 1 }]);
      throw new Error('changed my mind');
    });
    await expect(broken).rejects.toThrow('changed my mind');
    await source.transaction((manager) =>
      enqueueEvents(
        manager,
        [1, 2, 3].map((n) => ({ type: `t${n}`, data: { n } })),
      ),
    );
    expect((await rows()).slice(before).map(({ type, data }) => [type, data.n])).toEqual([
      ['t1', 1],
      ['t2', 2],
      ['t3', 3],
    ]);
    await source.destroy();
  });

  it('lets transactions of one key wait for one another, where they ask for it', async () => {
    const [one, other] = [await pool.connect(), await pool.connect()];
    await one.query(`BEGIN; SELECT hookline_in_order('k')`);
    await other.query(`BEGIN; SELECT hookline_in_order('of another')`);
    const taken = other.query(`SELECT pg_try_advisory_xact_lock(hashtext('hookline_outbox'), hashtext('k')) AS taken`);
    expect((await taken).rows).toEqual([{ taken: false }]);
    await one.query('COMMIT');
    await other.query(`SELECT hookline_in_order('k')`);
    await other.query('COMMIT');
    one.release();
    other.release();
  });
});
