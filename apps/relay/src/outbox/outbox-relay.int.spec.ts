import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { enqueueEvents, installOutbox } from '@hookline/outbox';
import type { Appended, OutgoingRecord, Output } from '@hookline/kafka';
import { DatabaseProxy } from '@hookline/testing';
import type pg from 'pg';
import { OutboxRig, type LoggedEvent } from '../testing/outbox-rig.js';

const SHARDS = 32;

const numberOf = ({ data }: LoggedEvent): number => (JSON.parse(data) as { n: number }).n;

/** Passes on what it is given once it is opened. */
class Gate implements Output {
  private readonly opened: Promise<void>;
  open!: () => void;
  /** How many records were given to it. */
  taken = 0;

  constructor(private readonly output: Output) {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }

  async produce(record: OutgoingRecord): Promise<Appended> {
    this.taken += 1;
    await this.opened;
    return this.output.produce(record);
  }
}

describe('the relay of an outbox', () => {
  let rig: OutboxRig;
  beforeEach(async () => {
    rig = await OutboxRig.open();
  });
  afterEach(() => rig.close());

  async function transaction<T>(act: (client: pg.PoolClient) => Promise<T>, end = 'COMMIT'): Promise<T> {
    const client = await rig.pool.connect();
    try {
      await client.query('BEGIN');
      const result = await act(client);
      await client.query(end);
      return result;
    } finally {
      client.release();
    }
  }

  const publish = (n: number, key: string | null = null) =>
    rig.pool.query(`SELECT hookline_publish('order.created', json_build_object('n', $1::int), $2)`, [n, key]);

  it('brings an event into the log as it was written, and deletes its row', async () => {
    rig.relay();
    const data = '{"b": 1,  "a": [1.0, "é", null], "b": 2}';
    await rig.pool.query(`SELECT hookline_publish('order.created', $1, 'order-1', 'my id', '2026-11-22T10:00:00+02')`, [
      data,
    ]);
    await rig.drained();
    expect(await rig.logged()).toEqual([
      {
        tenant: rig.tenant,
        id: 'my id',
        type: 'order.created',
        time: '2026-11-22T08:00:00.000000Z',
        key: 'order-1',
        data,
        partition: expect.any(Number),
      },
    ]);
  });

  it('takes each committed event of random transactions once, in the order of its key, from two relays', async () => {
    await rig.pool.query('CREATE TABLE counters (key text PRIMARY KEY, n int NOT NULL)');
    const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);
    await rig.pool.query('INSERT INTO counters SELECT unnest($1::text[]), 0', [keys]);
    rig.relay();
    rig.relay();
    const committed: string[] = [];
    const random = (below: number): number => Math.floor(Math.random() * below);

    async function worker(): Promise<void> {
      for (let i = 0; i < 25; i++) {
        // Locks are taken in the order of the keys: transactions must not wait for one another in a circle.
        const chosen = keys.filter(() => random(6) === 0);
        const commits = random(4) > 0;
        const ids = await transaction(
          async (client) => {
            const events = [];
            for (const key of chosen) {
              await client.query('SELECT hookline_in_order($1)', [key]);
              const { rows } = await client.query<{ n: number }>(
                'UPDATE counters SET n = n + 1 WHERE key = $1 RETURNING n',
                [key],
              );
              events.push({ type: 'counted', key, data: { n: rows[0]?.n } });
            }
            const made = await enqueueEvents(client, [...events, { type: 'free', data: { n: i } }]);
            await client.query('SELECT pg_sleep($1)', [random(20) / 1_000]);
            return made;
          },
          commits ? 'COMMIT' : 'ROLLBACK',
        );
        if (commits) committed.push(...ids);
      }
    }
    await Promise.all(Array.from({ length: 12 }, worker));
    await rig.drained();
    const logged = await rig.logged();
    expect(logged.map(({ id }) => id).sort()).toEqual(committed.sort());
    const { rows } = await rig.pool.query<{ key: string; n: number }>('SELECT key, n FROM counters');
    for (const { key, n } of rows) {
      const numbers = logged.filter((event) => event.key === key).map(numberOf);
      expect([key, numbers]).toEqual([key, Array.from({ length: n }, (_, i) => i + 1)]);
    }
  });

  it('takes a row that is committed late, with a lower number than rows that are gone', async () => {
    rig.relay();
    await transaction(async (client) => {
      await enqueueEvents(client, [{ type: 'late', id: 'late', data: { n: 1 } }]);
      await enqueueEvents(rig.pool, [{ type: 'early', id: 'early', data: { n: 2 } }]);
      await rig.until('the early one', async () => (await rig.logged()).some(({ id }) => id === 'early'));
      await rig.drained();
    });
    await rig.until('the late one', async () => (await rig.logged()).some(({ id }) => id === 'late'));
    expect((await rig.logged()).map(({ id }) => id).sort()).toEqual(['early', 'late']);
  });

  it('never brings in what is rolled back', async () => {
    rig.relay();
    await transaction((client) => enqueueEvents(client, [{ type: 'never', data: null }]), 'ROLLBACK');
    await publish(1);
    await rig.drained();
    expect((await rig.logged()).map(({ type }) => type)).toEqual(['order.created']);
  });

  it('is told of rows: it does not wait for its next look', async () => {
    rig.relay({ HOOKLINE_RELAY_POLL: '1h' });
    const waiting = async (): Promise<boolean> => {
      const { rows } = await rig.pool.query(
        "SELECT FROM pg_stat_activity WHERE application_name = 'hookline-relay' AND datname = current_database() AND query LIKE '%FROM hookline_outbox WHERE shard%' AND state = 'idle'",
      );
      return rows.length > 0;
    };
    await rig.until('the relay to have looked', waiting);
    for (let n = 0; n < 3; n++) {
      await publish(n);
      await rig.drained();
    }
    expect((await rig.logged()).map(numberOf).sort()).toEqual([0, 1, 2]);
  });

  it('shares the keys with others, one relay for each, and takes over from one that ends', async () => {
    const [first, second, third] = [rig.relay(), rig.relay(), rig.relay()];
    const shares = () => Promise.all([first, second, third].map((relay) => relay.metric('hookline_relay_shards')));
    const sum = (numbers: number[]): number => numbers.reduce((all, n) => all + n, 0);
    await rig.until('equal parts', async () => {
      const parts = await shares();
      return sum(parts) === SHARDS && parts.every((part) => part >= 10 && part <= 11);
    });
    for (let n = 0; n < 300; n++) await publish(n, `key-${n}`);
    await rig.drained();
    const events = await rig.logged();
    expect(events.map(numberOf).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    const relayed = await Promise.all([first, second, third].map((one) => one.metric('hookline_relay_events_total')));
    // A repeat would count again.
    expect(sum(relayed)).toBeGreaterThanOrEqual(300);
    expect(relayed.every((count) => count > 0)).toBe(true);

    await Promise.all([first.outbox.stop(), second.outbox.stop()]);
    await rig.until('the last one to have all', async () => (await third.metric('hookline_relay_shards')) === SHARDS);
    await publish(300);
    await rig.drained();
  });

  it('keeps the rows while Kafka is away, and leaves them to a relay that reaches it', async () => {
    const gate = new Gate(rig.output);
    const stuck = rig.relay({ HOOKLINE_RELAY_PATIENCE: '500ms' }, { output: gate });
    await rig.until('all shards', async () => (await stuck.metric('hookline_relay_shards')) === SHARDS);
    for (let n = 0; n < 5; n++) await publish(n, 'one');
    await rig.until('it to run out of patience', () => stuck.health.readiness().checks['outbox']?.includes('Kafka'));
    expect(await rig.count('hookline_outbox')).toBe(5);
    expect(await stuck.metric('hookline_relay_shards')).toBe(0);
    await rig.until('the lag', async () => (await stuck.metric('hookline_relay_lag_seconds')) > 0);
    const taken = gate.taken;

    rig.relay();
    // Long enough for the first one to come back, if it did not wait for what it has out.
    for (let n = 5; n < 45; n++) {
      await publish(n, 'one');
      await rig.drained();
    }
    const all = Array.from({ length: 45 }, (_, n) => n);
    expect((await rig.logged()).map(numberOf)).toEqual(all);
    expect(gate.taken).toBe(taken);

    // What it had in hand comes after all, a second time, with the same ids.
    gate.open();
    await rig.until('the repeats', async () => (await rig.loggedWithRepeats()).length >= all.length + taken);
    expect((await rig.logged()).map(numberOf)).toEqual(all);
    await rig.until('it to be back', () => stuck.health.readiness().ok);
  });

  it('finishes what is out when it is stopped: no row is sent twice', async () => {
    const gate = new Gate(rig.output);
    const relay = rig.relay({}, { output: gate, drainMs: 60_000 });
    await publish(1);
    await rig.until('the row to be out', () => gate.taken === 1);
    const stopped = relay.outbox.stop();
    gate.open();
    await stopped;
    expect(await rig.count('hookline_outbox')).toBe(0);
    rig.relay();
    await publish(2);
    await rig.drained();
    // With repeats: there is none.
    expect((await rig.loggedWithRepeats()).map(numberOf).sort()).toEqual([1, 2]);
  });

  describe('with a row that can not be an event', () => {
    it('sets it aside with the reason, and goes on with the others', async () => {
      const relay = rig.relay();
      await transaction(async (client) => {
        await enqueueEvents(client, [
          { type: 'a', id: 'good-1', key: 'k', data: { n: 1 } },
          { type: 'a', id: 'foreign', key: 'k', data: { n: 2 }, tenant: 'ten_of_another' },
        ]);
        // Past the check: whoever owns the table can do that.
        await client.query(`
          ALTER TABLE hookline_outbox DISABLE TRIGGER hookline_outbox_check;
          INSERT INTO hookline_outbox (shard, id, type, data) VALUES
            (0, 'wild', 'not a type', '{}'), (0, 'huge', 'ok', to_json(repeat('x', 262143)));
          ALTER TABLE hookline_outbox ENABLE TRIGGER hookline_outbox_check`);
        await enqueueEvents(client, [{ type: 'a', id: 'good-2', key: 'k', data: { n: 3 } }]);
      });
      await rig.drained();
      expect((await rig.logged()).map(({ id }) => id)).toEqual(['good-1', 'good-2']);
      const { rows } = await rig.pool.query('SELECT id, reason FROM hookline_outbox_refused ORDER BY id');
      expect(rows).toEqual([
        { id: 'foreign', reason: expect.stringContaining('ten_of_another is neither HOOKLINE_RELAY_TENANT') },
        { id: 'huge', reason: 'data must not be larger than 262144 bytes' },
        { id: 'wild', reason: expect.stringContaining('type must be words') },
      ]);
      expect(await relay.metric('hookline_relay_refused_total')).toBe(3);
      await rig.until('the gauge', async () => (await relay.metric('hookline_relay_refused_rows')) === 3);
    });

    it('takes it when it was put back and the reason is gone', async () => {
      const other = rig.tenant.replace(/....$/, '0000');
      const relay = rig.relay();
      await enqueueEvents(rig.pool, [{ type: 'a', id: 'foreign', data: { n: 1 }, tenant: other }]);
      await rig.until('the refusal', async () => (await rig.count('hookline_outbox_refused')) === 1);
      await relay.outbox.stop();
      rig.relay({ HOOKLINE_RELAY_TENANTS: other });
      await rig.pool.query('SELECT hookline_outbox_retry()');
      await rig.drained();
      expect((await rig.logged(other)).map(({ id }) => id)).toEqual(['foreign']);
      expect(await rig.count('hookline_outbox_refused')).toBe(0);
    });
  });

  describe('with a database that fails', () => {
    let proxy: DatabaseProxy;
    beforeEach(async () => {
      proxy = await DatabaseProxy.open(rig.url);
    });
    afterEach(() => proxy.close());

    it.each(['refuse', 'hang'] as const)('waits for one that does %s when it starts, and later', async (fault) => {
      proxy[fault]();
      const relay = rig.relay({ HOOKLINE_RELAY_DATABASE_TIMEOUT: '2s' }, { url: proxy.url });
      await publish(1);
      await rig.until('it to say so', () => relay.health.readiness().checks['outbox'] !== 'ok');
      proxy.restore();
      await rig.drained();
      await rig.until('it to be ready', () => relay.health.readiness().ok);
      proxy[fault]();
      await publish(2);
      await rig.until('it to notice', () => relay.health.readiness().checks['database'] !== 'ok');
      proxy.restore();
      await rig.drained();
      expect((await rig.logged()).map(numberOf).sort()).toEqual([1, 2]);
    });

    it('says what is missing where there is no outbox, and begins when there is', async () => {
      await rig.pool.query('DROP TABLE hookline_outbox CASCADE');
      const relay = rig.relay();
      await rig.until('it to say so', () =>
        relay.health.readiness().checks['outbox']?.includes('hookline outbox-schema'),
      );
      await installOutbox(rig.pool);
      await publish(1);
      await rig.drained();
    });
  });
});
