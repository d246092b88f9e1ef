import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '@hookline/embedded';
import { enqueueEvents } from '@hookline/outbox';
import { startRole, testCopies, testKafkaBrokers, type RoleProcess } from '@hookline/testing';
import { OutboxRig, type LoggedEvent } from './testing/outbox-rig.js';

const KEYS = 20;
const EVENTS = 3_000;
const KILLS = 4;
/** Rows. */
const MOST_WAITING = 1_000;

const numberOf = ({ data }: LoggedEvent): number => (JSON.parse(data) as { n: number }).n;

/** The numbers of each key's events, in their order. */
function numbersByKey(events: readonly LoggedEvent[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const event of events) {
    const { key = '' } = event;
    numbers.set(key, [...(numbers.get(key) ?? []), numberOf(event)]);
  }
  return numbers;
}

/** The role as it is built, in processes that can be killed. */
describe('the relay process', () => {
  let rig: OutboxRig | undefined;
  let postgres: EmbeddedPostgres | undefined;
  let roles: RoleProcess[] = [];

  afterEach(async () => {
    await Promise.all(roles.map((role) => role.kill()));
    roles = [];
    await rig?.close();
    await postgres?.destroy();
    postgres = undefined;
  });

  async function start(of: OutboxRig, settings: Record<string, string> = {}): Promise<RoleProcess> {
    const role = await startRole('relay', {
      ...testCopies(),
      KAFKA_BROKERS: testKafkaBrokers().join(','),
      HOOKLINE_RELAY_DATABASE_URL: of.url,
      HOOKLINE_RELAY_TENANT: of.tenant,
      // Small batches, so that a kill meets one under way.
      HOOKLINE_RELAY_BATCH: '20',
      ...settings,
    });
    roles.push(role);
    return role;
  }

  /** Each event is one of a key, with the next number. */
  function batch(from: number, to: number) {
    return Array.from({ length: to - from }, (_, i) => {
      const n = from + i;
      return { type: 'counted', id: `event-${n}`, key: `key-${n % KEYS}`, data: { n } };
    });
  }

  function expectAll(events: readonly LoggedEvent[], count: number): void {
    const found = numbersByKey(events);
    for (let key = 0; key < KEYS; key++) {
      const wanted = Array.from({ length: count }, (_, n) => n).filter((n) => n % KEYS === key);
      expect([key, found.get(`key-${key}`)]).toEqual([key, wanted]);
    }
  }

  it('is killed between what it has sent and the deletion of its rows: the next one sends it again, with the same ids', async () => {
    const of = (rig = await OutboxRig.open());
    const first = await start(of, { HOOKLINE_RELAY_DATABASE_TIMEOUT: '3m' });
    const locker = await of.pool.connect();
    await enqueueEvents(of.pool, [{ type: 'a', id: 'first', data: { n: 0 } }]);
    await of.drained();
    // From now on it can read rows, but not delete them.
    await locker.query('BEGIN; LOCK TABLE hookline_outbox_refused IN ACCESS EXCLUSIVE MODE');
    await enqueueEvents(of.pool, batch(0, 3));
    await of.until('the events', async () => (await of.logged()).length >= 4);
    expect(await of.count('hookline_outbox')).toBe(3);
    await first.kill('SIGKILL');
    // PostgreSQL would go on with what the dead one has asked for.
    await of.until('its sessions to end', async () => {
      const { rowCount } = await of.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hookline-relay' AND datname = current_database()",
      );
      return rowCount === 0;
    });
    await locker.query('COMMIT');
    locker.release();
    expect(await of.count('hookline_outbox')).toBe(3);

    await start(of);
    await of.drained();
    const events = await of.loggedWithRepeats();
    expect(events.filter(({ id }) => id === 'event-0').length).toBeGreaterThan(1);
    expect(new Set(events.map(({ id }) => id))).toEqual(new Set(['first', 'event-0', 'event-1', 'event-2']));
  });

  it('is killed again and again with rows under way, beside another: none is lost, and each key keeps its order', async () => {
    const of = (rig = await OutboxRig.open());
    const random = (below: number): number => Math.floor(Math.random() * below);
    await Promise.all([start(of), start(of)]);
    let written = 0;
    let killing = true;
    const backlog = () => of.count('hookline_outbox');
    const writing = (async () => {
      while (written < EVENTS || killing) {
        const to = written + 1 + random(400);
        await enqueueEvents(of.pool, batch(written, to));
        written = to;
        await of.until('less to do', async () => (await backlog()) < MOST_WAITING);
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = roles[kill % 2] as RoleProcess;
      const before = (await of.loggedWithRepeats()).length;
      await of.until('progress', async () => (await of.loggedWithRepeats()).length > before);
      // With rows that wait it has some in hand all the time.
      await of.until('something to do', async () => (await backlog()) > MOST_WAITING / 4);
      await victim.kill('SIGKILL');
      roles.splice(kill % 2, 1);
      await start(of);
    }
    killing = false;
    await writing;
    await of.drained();
    expectAll(await of.logged(), written);
  });

  it('is frozen: PostgreSQL lets go of its shards, and another takes over', async () => {
    const of = (rig = await OutboxRig.open());
    const frozen = await start(of, { HOOKLINE_RELAY_PATIENCE: '2s', HOOKLINE_RELAY_DATABASE_TIMEOUT: '5s' });
    await enqueueEvents(of.pool, batch(0, 1));
    await of.drained();
    await frozen.kill('SIGSTOP');
    await enqueueEvents(of.pool, batch(1, 40));
    await start(of);
    await of.until('the other to take over', async () => (await of.count('hookline_outbox')) === 0);
    await frozen.kill('SIGCONT');
    await enqueueEvents(of.pool, batch(40, 80));
    await of.drained();
    expectAll(await of.logged(), 80);
  });

  it('goes on by itself when its database is killed and starts again', async () => {
    postgres = await EmbeddedPostgres.start({ dataDir: mkdtempSync(join(tmpdir(), 'hookline-outbox-')) });
    const of = (rig = await OutboxRig.open(await postgres.ensureDatabase('shop')));
    const role = await start(of);
    await enqueueEvents(of.pool, batch(0, 500));
    await postgres.kill();
    await postgres.restart();
    await of.until('the database', () => of.pool.query('SELECT 1'));
    await enqueueEvents(of.pool, batch(500, 1_000));
    await of.drained();
    expectAll(await of.logged(), 1_000);
    await of.until('it to be ready', async () => (await fetch(`${role.url}/readyz`)).ok);
    expect((await role.stop()).code).toBe(0);
  });
});
