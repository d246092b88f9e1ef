import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type LogPosition } from '@hookline/contracts';
import { createPool, DayPartitions } from '@hookline/persistence';
import { silentLogger, systemClock } from '@hookline/platform';
import { TestClock, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Pool } from 'pg';
import { adminSettings, migratedDatabase } from '../testing/admin-rig.js';
import { Decisions } from './decisions.js';

const WAIT_MS = 60_000;
const AT = Date.UTC(2026, 10, 20, 12);
const never = new AbortController().signal;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await migratedDatabase();
  pool = createPool(adminSettings(database.url).database, () => undefined);
  await new DayPartitions().ensure(pool, [AT]);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const positions = (partition: number, ...offsets: number[]): LogPosition[] =>
  offsets.map((offset) => ({ partition, offset, at: AT }));

async function decide({ partition, offset, at }: LogPosition, duplicateOf: number | null): Promise<void> {
  await pool.query(
    `INSERT INTO event_routes (partition, "offset", appended_at, matched, duplicate_of) VALUES ($1, $2, $3, '{}', $4)`,
    [partition, offset, new Date(at), duplicateOf],
  );
}

function decisionsOn(clock: TestClock | typeof systemClock): Decisions {
  const source = {
    query: async <T>(sql: string, parameters?: unknown[]) => (await pool.query(sql, parameters)).rows as T,
  };
  const log = { bounds: async () => [{ partition: 0, low: 0, high: 100 }] };
  return new Decisions({ database: source, log, clock, logger: silentLogger, waitMs: WAIT_MS });
}

/** Moves the clock on, a look at a time, until the promise is settled. */
async function passing<T>(clock: TestClock, promise: Promise<T>, also: () => Promise<void>): Promise<number> {
  let settled = false;
  void promise.finally(() => (settled = true));
  const start = clock.now();
  await waitUntil(
    async () => {
      if (clock.pending > 0) {
        await also();
        clock.advance(250);
      }
      return settled;
    },
    { deadlineMs: 60_000, what: 'the decision' },
  );
  return clock.now() - start;
}

describe('Decisions', () => {
  it('are waited for until all are there', async () => {
    const [first, second] = positions(1, 10, 11) as [LogPosition, LogPosition];
    await decide(first, null);
    const clock = new TestClock();
    const waiting = decisionsOn(clock).duplicatesAmong([first, second], never);
    let looks = 0;
    await passing(clock, waiting, async () => {
      looks += 1;
      if (looks === 3) await decide(second, 10);
    });
    expect(looks).toBeGreaterThanOrEqual(3);
    expect([...(await waiting)]).toEqual([11]);
  });

  it('are given up when nothing comes, and then not waited for in the next batch of the partition', async () => {
    const clock = new TestClock();
    const decisions = decisionsOn(clock);
    const waiting = decisions.duplicatesAmong(positions(2, 1, 2), never);
    expect(await passing(clock, waiting, async () => undefined)).toBeGreaterThanOrEqual(WAIT_MS);
    expect((await waiting).size).toBe(0);
    expect((await decisions.duplicatesAmong(positions(2, 3, 4), never)).size).toBe(0);
  });

  it('are waited for beyond that while the recorder is on its way through what was written', async () => {
    const [late] = positions(3, 1) as [LogPosition];
    await pool.query('INSERT INTO recorder_offsets (topic, partition, next_offset) VALUES ($1, 0, 0)', [
      TOPICS.attempts,
    ]);
    const clock = new TestClock();
    const waiting = decisionsOn(clock).duplicatesAmong([late], never);
    const waited = await passing(clock, waiting, async () => {
      clock.advance(WAIT_MS / 2);
      const { rows } = await pool.query<{ next: string }>(
        'UPDATE recorder_offsets SET next_offset = next_offset + 20 WHERE topic = $1 RETURNING next_offset AS next',
        [TOPICS.attempts],
      );
      if (Number(rows[0]?.next) === 100) await decide(late, 0);
    });
    expect(waited).toBeGreaterThan(WAIT_MS);
    expect([...(await waiting)]).toEqual([1]);
  });

  it('end with the signal', async () => {
    const stop = new AbortController();
    const waiting = decisionsOn(systemClock).duplicatesAmong(positions(4, 1), stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});
