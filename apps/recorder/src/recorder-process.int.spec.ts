import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { startRole, testCopies, testKafkaBrokers, uniqueName, waitUntil, type RoleProcess } from '@hookline/testing';
import { idsOf, RecordedLog } from './testing/recorded-log.js';

const EVENTS = 6_000;
const KILLS = 2;

/** The role as it is built, in a process that can be killed, on the real topics: other specs' records may be there. */
describe('the recorder process', () => {
  let log: RecordedLog;
  let role: RoleProcess | undefined;

  beforeEach(async () => {
    log = await RecordedLog.create({ events: TOPICS.events, attempts: TOPICS.attempts });
  });
  afterEach(async () => {
    await role?.kill();
    await log.close();
  });

  const start = () =>
    startRole('recorder', {
      KAFKA_BROKERS: testKafkaBrokers().join(','),
      DATABASE_URL: log.database.url,
      ...testCopies(),
      // Small transactions, so that a kill meets one under way.
      HOOKLINE_RECORDER_BATCH_ROWS: '100',
      HOOKLINE_RECORDER_LINGER: '1ms',
      // A killed member keeps its partitions for this long; the broker allows no less.
      HOOKLINE_SESSION_TIMEOUT: '6s',
    });
  const mine = (prefix: string): string => `events WHERE event_id LIKE '${prefix}-%'`;
  const until = (what: string, condition: () => Promise<boolean>) => waitUntil(condition, { deadlineMs: 90_000, what });

  /** Each of these rows takes its time: whoever writes them is killed before it is through, however quick the machine is. */
  async function slow(prefix: string): Promise<void> {
    await log.dataSource.query(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END'`,
    );
    await log.dataSource.query(
      `CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.event_id LIKE '${prefix}-%') EXECUTE FUNCTION slow()`,
    );
  }

  it('is killed with work under way, again and again: each row is there once', async () => {
    const prefix = uniqueName('killed');
    const ids = idsOf(prefix, EVENTS);
    for (let from = 0; from < EVENTS; from += 1_000)
      await log.delivered((from / 1_000) % 3, ids.slice(from, from + 1_000));
    const gone = idsOf(uniqueName('sub'), 200);
    await log.subscribed(gone);
    await log.gone(0, gone);
    await log.gone(1, gone);
    await slow(prefix);
    let before = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      role = await start();
      await until('some rows', async () => (await log.count(mine(prefix))) > before);
      await role.kill('SIGKILL');
      before = await log.count(mine(prefix));
      expect(before).toBeLessThan(EVENTS);
    }
    await log.dataSource.query('DROP TRIGGER slow ON events');
    role = await start();
    await until('every event and attempt', async () => {
      const attempts = await log.count(`deliveries WHERE event_id LIKE '${prefix}-%'`);
      return attempts >= EVENTS && (await log.count(mine(prefix))) >= EVENTS;
    });
    expect((await log.eventIds()).filter((id) => id.startsWith(prefix))).toEqual(ids);
    expect((await log.attemptedIds()).filter((id) => id.startsWith(prefix))).toEqual(ids);
    const once = gone.map((id) => `${id} 2`);
    await until('the endpoints that are gone', async () => (await log.disabled()).rows.length >= gone.length);
    expect(await log.disabled()).toEqual({ rows: once, outbox: once });
  }, 400_000);
});
