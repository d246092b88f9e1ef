import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { topicPlan, type OutgoingRecord, type Output } from '@hookline/kafka';
import { connectionOptions, createPool, DayPartitions, Session } from '@hookline/persistence';
import { TestClock, type TestDatabase } from '@hookline/testing';
import type { Pool } from 'pg';
import { adminSettings, migratedDatabase } from '../testing/admin-rig.js';
import { couldComeBack, ExpungedKeeper } from './expunged-keeper.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 31);
const never = new AbortController().signal;

describe('what was expunged', () => {
  let database: TestDatabase;
  let pool: Pool;
  let session: Session;
  let clock: TestClock;
  let written: OutgoingRecord[];
  let refuses: boolean;
  let keeper: ExpungedKeeper;

  const output: Output = {
    produce: async (record) => {
      if (refuses) throw new Error('Kafka is away');
      written.push(record);
      return { partition: 0, offset: 0 };
    },
  };
  /** Partition 0 has more than settings say, from 10 on; partition 1 was made anew since. */
  const log = {
    bounds: async () => [
      { partition: 0, low: 10, high: 200 },
      { partition: 1, low: 0, high: 3 },
    ],
    at: async () => new Map([[0, 100], [1, 0]]), // prettier-ignore
  };

  beforeAll(async () => {
    database = await migratedDatabase();
    const settings = adminSettings(database.url).database;
    pool = createPool(settings, () => undefined);
    session = await Session.open(connectionOptions(settings));
    await new DayPartitions().ensure(pool, [NOW - 30 * DAY_MS, NOW]);
  });
  afterAll(async () => {
    await session.close();
    await pool.end();
    await database.drop();
  });
  beforeEach(async () => {
    await pool.query('DELETE FROM expunged_events');
    [written, refuses, clock] = [[], false, new TestClock(NOW)];
    keeper = new ExpungedKeeper({ log, output, clock }, { eventMs: 8 * DAY_MS, answersMs: 10 * DAY_MS });
  });

  /** Days ago; history has none of them. */
  async function expunged(partition: number, offset: number, appended: number, since = appended): Promise<void> {
    const at = [appended, since].map((days) => new Date(NOW - days * DAY_MS));
    await pool.query('INSERT INTO expunged_events VALUES ($1, $2, $3, $4)', [partition, offset, ...at]);
  }
  const left = async (): Promise<string[]> => {
    const sql = `SELECT partition || '/' || "offset" AS it FROM expunged_events ORDER BY partition, "offset"`;
    return (await pool.query<{ it: string }>(sql)).rows.map(({ it: each }) => each);
  };
  const tombstones = (): string[] =>
    written.flatMap(({ topic, key, value }) => (topic === TOPICS.progress && value === null ? [String(key)] : []));

  it('is forgotten, and the log told so, by its append time, once the log and history have nothing of it, though history never had it', async () => {
    await expunged(0, 5, 40);
    await expunged(1, 1_000, 40);
    // The log still has the event, what endpoints answered, or may have it; and history has its day.
    await expunged(0, 50, 40);
    await expunged(0, 6, 40, 9);
    await expunged(0, 7, 7);
    await expunged(0, 8, 25);
    // Another event stood there before a topic was made anew: the key is theirs both.
    await expunged(0, 9, 40);
    await expunged(0, 9, 3);
    await keeper.round(session, never);
    expect(tombstones()).toEqual(['expunged/0/5', 'expunged/1/1000']);
    expect(await left()).toEqual(['0/6', '0/7', '0/8', '0/9', '0/9', '0/50']);
  });

  it('is not forgotten before the log knows', async () => {
    await expunged(0, 5, 40);
    refuses = true;
    await expect(keeper.round(session, never)).rejects.toThrow('Kafka is away');
    expect(await left()).toEqual(['0/5']);
    refuses = false;
    await keeper.round(session, never);
    expect([tombstones(), await left()]).toEqual([['expunged/0/5'], []]);
  });

  it('is looked through once in an hour, and at once where there is more', async () => {
    await pool.query(
      `INSERT INTO expunged_events SELECT 1, n, $1::timestamptz, $1 FROM generate_series(1, 1500) AS s(n)`,
      [new Date(NOW - 40 * DAY_MS)],
    );
    await keeper.round(session, never);
    await keeper.round(session, never);
    expect([tombstones().length, await left()]).toEqual([1_500, []]);
    await expunged(0, 5, 40);
    await keeper.round(session, never);
    expect(await left()).toEqual(['0/5']);
    clock.advance(3_600_000);
    await keeper.round(session, never);
    expect(await left()).toEqual([]);
  });

  it('is kept for as long as the topics have the event, and what endpoints answer until its deliveries are over', () => {
    const { topics } = adminSettings(database.url);
    const { eventMs, answersMs } = couldComeBack(topicPlan(topics, []), 5 * DAY_MS);
    expect(eventMs).toBeGreaterThan(topics.eventsRetentionMs);
    expect(answersMs).toBeGreaterThan(5 * DAY_MS + 7 * DAY_MS);
  });
});
