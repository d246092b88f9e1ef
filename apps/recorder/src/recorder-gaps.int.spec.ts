import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { createPool, DayPartitions, HistoryWriter } from '@hookline/persistence';
import { OffsetRunner } from '@hookline/kafka';
import { Metrics, silentLogger, systemClock } from '@hookline/platform';
import { uniqueName, waitUntil } from '@hookline/testing';
import type { Pool } from 'pg';
import { Recorder } from './recorder.js';
import { databaseOf, idsOf, RecordedLog, TENANT } from './testing/recorded-log.js';

const DAY_MS = 86_400_000;

/** What history does not have is written down, so that the readers of the stream are told. */
describe('a gap of the recorder', () => {
  let log: RecordedLog;
  let recorder: Recorder | undefined;

  beforeEach(async () => {
    log = await RecordedLog.create();
  });
  afterEach(async () => {
    await recorder?.stop();
    await log.close();
  });

  function start(groupId: string): void {
    recorder = new Recorder({
      kafka: log.kafka,
      database: databaseOf(log.database.url),
      recorder: {
        batchRows: 7,
        batchBytes: 8_388_608,
        lingerMs: 1,
        fetchBytes: 1,
        fetchWaitMs: 100,
        commitIntervalMs: 250,
        flushTimeoutMs: 60_000,
        maxBufferedRecords: 30_000,
        historyRetentionMs: 30 * DAY_MS,
      },
      failing: { gapMs: DAY_MS / 4, disableAfterMs: DAY_MS },
      clock: systemClock,
      logger: silentLogger,
      metrics: new Metrics('recorder'),
      drainMs: 5_000,
      groupId,
      topics: log.topics,
    });
    const runner = new OffsetRunner({ ...recorder.group, handler: recorder.handle });
    void runner.start();
    recorder.start(runner);
  }
  const recorded = (events: number): Promise<unknown> =>
    waitUntil(async () => (await log.count('events')) === events, { deadlineMs: 90_000, what: `${events} events` });
  const gaps = (): Promise<unknown[]> =>
    log.dataSource.query(
      `SELECT partition, from_offset::int AS "from", to_offset::int AS "to", reason FROM recorder_gaps ORDER BY 1, 2`,
    );
  async function letGo(partition: number, offset: number): Promise<void> {
    const admin = log.kafka.admin();
    await admin.connect();
    // It asks nobody who leads the partition, and knows only topics that were met before.
    await admin.fetchTopicOffsets(log.topics.events);
    await admin.deleteTopicRecords({ topic: log.topics.events, partitions: [{ partition, offset: String(offset) }] });
    await admin.disconnect();
  }

  it('that the log let go of before it was read is noted with the offset that jumps over it, and nothing else is', async () => {
    const group = uniqueName('recorder');
    await log.events(0, idsOf('a', 30));
    await log.events(1, idsOf('b', 30));
    await letGo(1, 12);
    start(group);
    await recorded(48);
    await recorder?.stop();
    await log.events(0, idsOf('c', 40));
    await letGo(0, 55);
    start(group);
    await recorded(48 + 15);
    const reason = 'log-retention';
    expect(await gaps()).toEqual([
      { partition: 0, from: 30, to: 55, reason },
      { partition: 1, from: 0, to: 12, reason },
    ]);
  });

  it('that comes of dropping a day is noted for each partition with what it had', async () => {
    const pool: Pool = createPool(databaseOf(log.database.url), () => undefined);
    const days = new DayPartitions();
    const noon = Date.UTC(2026, 5, 1, 12);
    const envelope = { tenant: TENANT, id: 'e', type: 't', time: '2026-06-01T12:00:00Z' };
    const events = [0, 1, 2, 3].map((offset) => ({
      position: { partition: 0, offset: 100 + offset, at: noon + offset * (DAY_MS / 2) },
      envelope,
      payload: Buffer.from('{}'),
    }));
    await pool.query('INSERT INTO recorder_offsets VALUES ($1, 0, 104), ($1, 1, 7)', [TOPICS.events]);
    await new HistoryWriter(pool, days).write({ moves: [], events, outcomes: [] }, new AbortController().signal);
    await days.dropBefore(pool, noon + DAY_MS);
    await days.dropBefore(pool, noon + DAY_MS);
    const noted = [{ partition: 0, from: 100, to: 101, reason: 'history-retention' }];
    expect(await gaps()).toEqual(noted);
    expect(await log.count('events')).toBe(3);
    await pool.end();
  });
});
