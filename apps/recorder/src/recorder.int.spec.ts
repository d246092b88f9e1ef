import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DeliveryHistory, EventHistory, recorderGaps } from '@hookline/persistence';
import { OffsetRunner } from '@hookline/kafka';
import { Metrics, silentLogger, systemClock } from '@hookline/platform';
import { DatabaseProxy, uniqueName, waitUntil } from '@hookline/testing';
import { Recorder } from './recorder.js';
import {
  attemptOf,
  databaseOf,
  EVENT_PARTITIONS,
  idsOf,
  newDeliveryId,
  outcomeOf,
  RecordedLog,
  routeOf,
  TENANT,
} from './testing/recorded-log.js';

const DEADLINE_MS = 75_000;

const HOUR_MS = 3_600_000;

describe('Recorder', () => {
  let log: RecordedLog;
  let proxy: DatabaseProxy;
  let recorders: Recorder[];

  beforeEach(async () => {
    log = await RecordedLog.create();
    proxy = await DatabaseProxy.open(log.database.url);
    recorders = [];
  });
  afterEach(async () => {
    proxy.restore();
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    await proxy.close();
    await log.close();
  });

  function create(changes: { url?: string; groupId?: string; batchRows?: number; flushTimeoutMs?: number } = {}) {
    const metrics = new Metrics('recorder');
    const recorder = new Recorder({
      kafka: log.kafka,
      database: databaseOf(changes.url ?? proxy.url),
      recorder: {
        batchRows: changes.batchRows ?? 5_000,
        batchBytes: 8_388_608,
        lingerMs: 5,
        fetchBytes: 1,
        fetchWaitMs: 100,
        commitIntervalMs: 250,
        flushTimeoutMs: changes.flushTimeoutMs ?? 60_000,
        maxBufferedRecords: 30_000,
        historyRetentionMs: 720 * HOUR_MS,
      },
      failing: { gapMs: 6 * HOUR_MS, disableAfterMs: 24 * HOUR_MS },
      clock: systemClock,
      logger: silentLogger,
      metrics,
      drainMs: 5_000,
      groupId: changes.groupId ?? uniqueName('recorder'),
      topics: log.topics,
    });
    recorders.push(recorder);
    const runner = new OffsetRunner({ ...recorder.group, handler: recorder.handle });
    void runner.start();
    recorder.start(runner);
    return { recorder, runner, metrics };
  }

  const until = (what: string, condition: () => Promise<boolean>) =>
    waitUntil(condition, { deadlineMs: DEADLINE_MS, what });
  const recorded = (events: number, attempts = events) =>
    until(`${events} events and ${attempts} attempts`, async () => {
      return (await log.count('events')) >= events && (await log.count('attempts')) >= attempts;
    });

  it('notes what the log let go of before it was recorded, with its bounds and times, also where nothing comes after it', async () => {
    const first = await log.events(1, idsOf('first', 5));
    const early = first.at(-1) as P;
    await log.outcomes([routeOf(early, 'a', [])], 1);
    const groupId = uniqueName('recorder');
    const { recorder } = create({ groupId });
    await until('the first to be recorded', async () => (await log.count('events')) === 5);
    await until('their route', async () => (await log.count('event_routes')) === 1);
    await recorder.stop();
    const lost = await log.events(1, idsOf('lost', 7));
    const [next] = (await log.events(1, ['next'])) as [P];
    await log.outcomes([routeOf(early, 'a', []), routeOf(early, 'a', [])], 1);
    await log.letGo(log.topics.events, 1, next.offset);
    await log.letGo(log.topics.attempts, 1, 3);
    create({ groupId });
    const gaps = await waitUntil(
      async () => {
        const noted = await recorderGaps(log.dataSource);
        return noted.length >= 2 && noted;
      },
      { deadlineMs: DEADLINE_MS, what: 'both gaps' },
    );
    const { events, attempts } = log.topics;
    const notedAt = expect.any(Number);
    expect(gaps.toSorted((a, b) => a.from - b.from)).toEqual([
      { topic: attempts, partition: 1, from: 1, to: 3, notedAt, since: undefined, until: undefined },
      { topic: events, partition: 1, from: lost[0]?.offset, to: next.offset, notedAt, since: early.at, until: next.at },
    ]);
    await until('what is left', async () => (await log.count('events')) === 6);
    expect(await recorderGaps(log.dataSource)).toHaveLength(2);
  });

  it('puts together what an event matched where that takes several records', async () => {
    const [wide] = (await log.events(1, ['wide'])) as [P];
    const parts = [['sub_1', 'sub_2'], ['sub_3'], ['sub_1', 'sub_2']];
    await log.outcomes(parts.map((ids) => routeOf(wide, 'wide', ids)));
    create();
    const events = new EventHistory(log.dataSource);
    const matched = async (): Promise<string[]> => {
      const routing = (await events.find(TENANT, 'wide'))?.event.routing;
      return routing?.state === 'routed' ? routing.matched.toSorted() : [];
    };
    await until('three', async () => (await matched()).length === 3);
    // And where the recorder gets them one after the other.
    await log.outcomes([routeOf(wide, 'wide', ['sub_4'])]);
    await until('four', async () => (await matched()).length === 4);
    await log.outcomes(parts.map((ids) => routeOf(wide, 'wide', ids)));
    await log.outcomes([routeOf(wide, 'wide', ['sub_5'])]);
    await until('five', async () => (await matched()).length === 5);
    expect(await matched()).toEqual(['sub_1', 'sub_2', 'sub_3', 'sub_4', 'sub_5']);
  });

  it('writes what an event matched, also where that is nothing', async () => {
    const ids = ['one', 'none', 'two', 'again', 'silent'];
    const [one, none, two, again] = (await log.events(1, ids)) as [P, P, P, P];
    const first = newDeliveryId();
    await log.outcomes([
      outcomeOf(one, 'one', { id: first }),
      routeOf(none, 'none', []),
      { ...outcomeOf(two, 'two', {}), matched: ['sub_1', 'sub_2'] },
      { ...outcomeOf(two, 'two', { subscriptionId: 'sub_2' }), matched: undefined } as never,
      routeOf(again, 'again', [], one.offset),
    ]);
    create();
    await recorded(5, 3);

    const events = new EventHistory(log.dataSource);
    const routing = async (id: string) => (await events.find(TENANT, id))?.event.routing;
    expect(await routing('one')).toEqual({ state: 'routed', matched: ['sub_1'], duplicateOf: null });
    expect(await routing('none')).toEqual({ state: 'routed', matched: [], duplicateOf: null });
    expect(await routing('two')).toEqual({ state: 'routed', matched: ['sub_1', 'sub_2'], duplicateOf: null });
    expect(await routing('again')).toEqual({ state: 'routed', matched: [], duplicateOf: one.offset });
    expect(await routing('silent')).toEqual({ state: 'pending' });
    expect(await events.find('ten_2', 'one')).toBeUndefined();
    expect(await events.duplicates(1, 0, 100)).toEqual([again.offset]);
    expect((await events.payload(two))?.toString()).toBe('{"id":"two"}');
    expect(await events.deliveries(two)).toHaveLength(2);
    const found = await new DeliveryHistory(log.dataSource).get(TENANT, first);
    expect(found?.delivery).toMatchObject({ state: 'delivered', attempts: 1, event: { ...one, id: 'one' } });
    expect(found?.attempts).toMatchObject([{ number: 1, status: 200, durationMs: 4 }]);
  });

  it('skips what cannot be read or stored, counts it, and goes on', async () => {
    const [position] = (await log.events(0, ['good'])) as [P];
    await log.raw(log.topics.events, 0, [Buffer.from('no headers')]);
    await log.raw(log.topics.attempts, 0, [Buffer.from('{"v":1'), Buffer.from('{"v":9}')]);
    await log.outcomes([
      { ...outcomeOf(position, 'good', {}), source: { ...position, partition: 1.5 } },
      outcomeOf(position, 'good', { id: 'msg_1' }),
      { ...outcomeOf(position, 'good', {}), gone: { subscriptionId: 'sub_1', version: 1.5 } },
      { ...outcomeOf(position, 'good', {}), gone: null as never },
      { ...outcomeOf(position, 'good', {}), backlog: { subscriptionId: 'sub_1', version: 1, is: 'some' } as never },
      { ...outcomeOf(position, 'good', {}), backlog: { subscriptionId: 7, version: 1, is: 'full' } as never },
      outcomeOf(position, 'good', { attempt: attemptOf(1, { version: 1.5 }) }),
      outcomeOf(position, 'good', { attempt: attemptOf(1, { responseHeaders: ['half'] }) }),
      outcomeOf(position, 'good', { attempt: attemptOf(1, { responseBody: 'a\0b', error: '\ud800' }) }),
    ]);
    // A route is a text that PostgreSQL reads as JSON: half of a surrogate pair passes here, and not there.
    await log.outcomes([routeOf(position, 'good', ['\ud800'])]);
    await log.outcomes([outcomeOf(position, 'good', { id: newDeliveryId() })]);
    const { metrics } = create();
    await recorded(1, 2);
    const [row] = await log.dataSource.query("SELECT response_body FROM attempts WHERE response_body <> ''");
    expect(row).toEqual({ response_body: 'a\ufffdb' });
    expect(await metrics.text()).toMatch(/hookline_recorder_skipped_total\{topic="attempts[^}]*\} 11/);
    expect(await metrics.text()).toMatch(/hookline_recorder_skipped_total\{topic="events[^}]*\} 1/);
  });

  it('writes each row once when the connection ends before or after a COMMIT', async () => {
    const ids = idsOf('e', 3_000);
    for (const partition of [0, 1, 2])
      await log.delivered(partition, ids.slice(partition * 1_000, (partition + 1) * 1_000));
    proxy.failCommits('cut-before', 'cut-after', 'cut-before', 'cut-after', 'cut-after', 'cut-before');
    create({ batchRows: 400 });
    await recorded(3_000);
    expect(proxy.faults).toBe(6);
    expect(await log.eventIds()).toEqual(ids);
    expect(await log.attemptedIds()).toEqual(ids);
  });

  it('disables a subscription whose endpoint is gone once, whichever commits fail and whoever writes', async () => {
    const ids = idsOf('sub', 300);
    await log.subscribed(ids);
    await log.gone(0, ids.slice(0, 150));
    await log.gone(1, ids.slice(150));
    // Nine transactions or more, whose records are events or outcomes: nearly all of them are met.
    const four = Array<'cut-after'>(4).fill('cut-after');
    proxy.failCommits('cut-before', ...four, 'cut-before', ...four);
    const { recorder } = create({ batchRows: 70 });
    await recorded(300);
    expect(proxy.faults).toBe(10);
    const once = ids.map((id) => `${id} 2`);
    expect(await log.disabled()).toEqual({ rows: once, outbox: once });
    await recorder.stop();
    create({ batchRows: 70 });
    await log.gone(2, ids);
    await recorded(600);
    expect(await log.disabled()).toEqual({ rows: once, outbox: once });
  });

  it('an old 410 that is read again does not disable a subscription that was enabled since', async () => {
    await log.subscribed(['sub_1', 'sub_2']);
    await log.gone(0, ['sub_1', 'sub_2']);
    create();
    await recorded(2);
    expect((await log.disabled()).rows).toEqual(['sub_1 2', 'sub_2 2']);
    await log.dataSource.query(`
      UPDATE subscriptions SET status = 'enabled', version = 3, disabled_reason = NULL, disabled_at = NULL;
      UPDATE subscriptions SET status = 'deleted', version = 3 WHERE id = 'sub_2';
      DELETE FROM outbox; DELETE FROM attempts; DELETE FROM events; UPDATE recorder_offsets SET next_offset = 0`);
    await log.events(0, ['another']);
    await log.gone(0, ['sub_1', 'sub_2'], 2);
    await recorded(5, 4);
    expect(await log.disabled()).toEqual({ rows: [], outbox: [] });
    await log.gone(0, ['sub_1', 'sub_2'], 3);
    await recorded(7, 6);
    expect(await log.disabled()).toEqual({ rows: ['sub_1 4'], outbox: ['sub_1 4'] });
  });

  it('starts without its database, and outlives one that refuses and one that hangs', async () => {
    const ids = idsOf('e', 600);
    proxy.refuse();
    const { recorder } = create({ flushTimeoutMs: 1_000 });
    await log.delivered(0, ids.slice(0, 200));
    await until('readiness to tell', () => Promise.resolve(recorder.status.check()?.includes('PostgreSQL') === true));
    expect(await log.count('events')).toBe(0);
    proxy.restore();
    await recorded(200);
    // The rows are there a moment before it hears that they are.
    await until('it to be well', () => Promise.resolve(recorder.status.check() === undefined));

    proxy.hang();
    await log.delivered(1, ids.slice(200, 400));
    await until('the hang to be noticed', () => Promise.resolve(recorder.status.check() !== undefined));
    proxy.restore();
    await recorded(400);

    proxy.refuse();
    await log.delivered(2, ids.slice(400));
    await until('the refusal to be noticed', () => Promise.resolve(recorder.status.check() !== undefined));
    proxy.restore();
    await recorded(600);
    expect(await log.eventIds()).toEqual(ids);
    expect(await log.attemptedIds()).toEqual(ids);
  });

  it('lets two recorders race for the same partitions: each row is written by one of them', async () => {
    const ids = idsOf('e', 3_000);
    const racers = [create({ batchRows: 150 }), create({ batchRows: 170 })];
    // Of the events and the attempts: else one of them is through before the other begins.
    await until('both to be on the line', async () =>
      racers.every(({ runner }) => runner.stats().partitions.length === EVENT_PARTITIONS + 2),
    );
    for (let from = 0; from < ids.length; from += 250)
      await log.delivered((from / 250) % 3, ids.slice(from, from + 250));
    await recorded(3_000);
    await until('both to have read everything', async () =>
      racers.every(({ runner }) => runner.stats().inFlight === 0),
    );
    expect(await log.eventIds()).toEqual(ids);
    expect(await log.attemptedIds()).toEqual(ids);
    const conflicts = await Promise.all(racers.map(({ metrics }) => metrics.text()));
    expect(conflicts.join()).toMatch(/hookline_recorder_conflicts_total\{[^}]*\} [1-9]/);
  });

  it('goes by the offsets in PostgreSQL, not by those in Kafka', async () => {
    const ids = idsOf('e', 300);
    await log.delivered(0, ids.slice(0, 200));
    const { recorder } = create();
    await recorded(200);
    await recorder.stop();
    // A group without any offset: by Kafka it would read everything again.
    create({ groupId: uniqueName('other') });
    await log.delivered(0, ids.slice(200));
    await recorded(300);
    expect(await log.eventIds()).toEqual(ids);
    expect(await log.attemptedIds()).toEqual(ids);
  });

  it('reads again what the database lost when it went back in time', async () => {
    const ids = idsOf('e', 300);
    create();
    await log.delivered(0, ids.slice(0, 200));
    await recorded(200);
    await log.dataSource.query(`
      DELETE FROM events WHERE "offset" >= 50; DELETE FROM attempts WHERE "offset" >= 50;
      DELETE FROM deliveries WHERE event_offset >= 50; UPDATE recorder_offsets SET next_offset = least(50, next_offset)`);
    await log.delivered(0, ids.slice(200));
    await recorded(300);
    expect(await log.eventIds()).toEqual(ids);
    expect(await log.attemptedIds()).toEqual(ids);
  });
});

type P = Awaited<ReturnType<RecordedLog['events']>>[number];
