import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeliveryState, LogPosition, OutcomeRecord } from '@hookline/contracts';
import { waitUntil } from '@hookline/testing';
import fc from 'fast-check';
import { DayPartitions } from '../history/day-partitions.js';
import { DeliveryHistory } from '../history/delivery-history.js';
import { EventHistory } from '../history/event-history.js';
import { noteExpunged } from '../history/expunged-payloads.js';
import type { Queryable } from '../migrate.js';
import { rebuildManagement } from '../rebuilding/rebuild-management.js';
import type { OutcomeToRecord } from './attempt-rows.js';
import { OffsetsMoved } from './recorder-offsets.js';
import { HistoryRig } from './testing/history-rig.js';

const DAY_MS = 86_400_000;
const LONG_AGO = Date.UTC(2020, 1, 29, 23, 59, 59, 999);

describe('HistoryWriter', () => {
  let rig: HistoryRig;
  let deliveries: DeliveryHistory;

  beforeEach(async () => {
    rig = await HistoryRig.open();
    deliveries = new DeliveryHistory(rig.dataSource);
  });
  afterEach(() => rig.close());

  const write = (...outcomes: OutcomeToRecord[]) => rig.write(...outcomes);
  const newId = (): string => `msg_${randomBytes(16).toString('hex')}`;
  const source: LogPosition = { partition: 2, offset: 7, at: LONG_AGO };

  function outcome(
    id: string,
    state: DeliveryState,
    number: number,
    position: { at: number; offset: number },
    changes: { replayId?: string; source?: LogPosition; subscriptionId?: string } = {},
  ): OutcomeToRecord {
    const record: OutcomeRecord = {
      v: 1,
      tenant: 'ten_1',
      eventId: 'e1',
      type: 't',
      source: changes.source ?? source,
      delivery: {
        id,
        subscriptionId: changes.subscriptionId ?? 'sub_1',
        state,
        attempt: { id: `a${number}`, number, at: position.at, durationMs: 1, status: 100 + number },
        ...(changes.replayId === undefined ? {} : { replayId: changes.replayId }),
      },
    };
    return { position: { partition: 0, ...position }, outcome: record };
  }

  it('ends alike in whichever order and batches the outcomes come: delivered absorbs, the hand-over is the first, else the later one counts', async () => {
    const states: DeliveryState[] = ['pending', 'retrying', 'held', 'dead-lettered', 'delivered'];
    const story = fc.array(fc.record({ state: fc.constantFrom(...states), at: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(story, fc.infiniteStream(fc.boolean()), async (steps, cuts) => {
        const [inOrder, shuffled] = [newId(), newId()];
        const tell = (id: string): OutcomeToRecord[] =>
          steps.map(({ state, at }, i) => outcome(id, state, i + 1, { at: LONG_AGO + at, offset: i }));
        await write(...tell(inOrder));
        let batch: OutcomeToRecord[] = [];
        for (const each of tell(shuffled).sort((a, b) => (a.position.at % 2) - (b.position.at % 2))) {
          batch.push(each);
          if (cuts.next().value) {
            await write(...batch.reverse());
            batch = [];
          }
        }
        await write(...batch);

        const ranked = steps.map((step, i) => ({ ...step, i }));
        const delivered = ranked.filter(({ state }) => state === 'delivered');
        const after = ranked.filter(({ state }) => state !== 'pending');
        const last = [delivered, after, ranked]
          .find(({ length }) => length > 0)
          ?.sort((a, b) => a.at - b.at || a.i - b.i)
          .at(-1);
        for (const id of [inOrder, shuffled]) {
          const found = await deliveries.get(null, id);
          expect(found?.delivery).toMatchObject({
            state: last?.state,
            lastStatus: 101 + (last?.i ?? 0),
            attempts: steps.length,
          });
          expect(found?.attempts).toHaveLength(steps.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('what came of a delivery counts, though that it was handed over is told after that', async () => {
    const gone = newId();
    await write(outcome(gone, 'dead-lettered', 1, { at: LONG_AGO, offset: 0 }));
    await write(outcome(gone, 'pending', 0, { at: LONG_AGO + 1, offset: 1 }));
    expect((await deliveries.get(null, gone))?.delivery.state).toBe('dead-lettered');
  });

  it('a delivery that was held is no end: what comes later counts, and what was delivered stays so', async () => {
    const [resumed, done] = [newId(), newId()];
    await write(
      outcome(resumed, 'held', 1, { at: LONG_AGO, offset: 0 }),
      outcome(done, 'delivered', 1, { at: LONG_AGO, offset: 1 }),
    );
    expect((await deliveries.get(null, resumed))?.delivery.state).toBe('held');
    await write(outcome(done, 'held', 2, { at: LONG_AGO + 1, offset: 2 }));
    await write(outcome(resumed, 'retrying', 2, { at: LONG_AGO + 1, offset: 3 }));
    expect((await deliveries.get(null, resumed))?.delivery.state).toBe('retrying');
    await write(outcome(resumed, 'held', 2, { at: LONG_AGO + 2, offset: 4 }));
    expect((await deliveries.get(null, resumed))?.delivery.state).toBe('held');
    expect((await deliveries.get(null, done))?.delivery.state).toBe('delivered');
  });

  it('counts a replay by what happened in it, also where the delivery had succeeded before', async () => {
    const [old, fresh] = [newId(), newId()];
    await write(outcome(old, 'delivered', 1, { at: LONG_AGO, offset: 0 }));
    await write(
      outcome(old, 'dead-lettered', 2, { at: LONG_AGO + 10, offset: 1 }, { replayId: 'rpl_1' }),
      outcome(fresh, 'pending', 1, { at: LONG_AGO + 10, offset: 2 }, { replayId: 'rpl_1' }),
    );
    await write(outcome(fresh, 'delivered', 2, { at: LONG_AGO + 11, offset: 3 }, { replayId: 'rpl_1' }));
    await write(outcome(fresh, 'retrying', 1, { at: LONG_AGO + 10, offset: 4 }, { replayId: 'rpl_1' }));
    expect(await deliveries.replayStates('rpl_1')).toEqual({
      pending: 0,
      retrying: 0,
      delivered: 1,
      'dead-lettered': 1,
      held: 0,
    });
    expect((await deliveries.get('ten_1', old))?.delivery.state).toBe('delivered');
    expect(await deliveries.get('ten_2', old)).toBeUndefined();
    expect(await deliveries.get(null, "'; drop table")).toBeUndefined();
  });

  it('keeps of an attempt the version that it was made by, and the headers of its answer', async () => {
    const id = newId();
    const [older, newer] = [1, 2].map((number) => outcome(id, 'retrying', number, { at: LONG_AGO, offset: number }));
    const responseHeaders = ['retry-after', '7', 'x', '\0"\u00e4'];
    Object.assign(newer?.outcome.delivery?.attempt ?? {}, { version: 9, responseHeaders });
    await write(older as OutcomeToRecord, newer as OutcomeToRecord);
    expect(await deliveries.attempt(id, 'a1')).toMatchObject({ number: 1, version: null, responseHeaders: null });
    expect(await deliveries.attempt(id, 'a2')).toMatchObject({ number: 2, version: 9, responseHeaders });
    expect(await deliveries.attempt(id, 'a3')).toBeUndefined();
  });

  it('keeps a row on the day of its record, and drops whole days', async () => {
    const id = newId();
    const tomorrow = { partition: 2, offset: 8, at: LONG_AGO + 1 };
    await write(
      outcome(id, 'delivered', 1, { at: LONG_AGO + DAY_MS, offset: 0 }),
      outcome(newId(), 'delivered', 1, { at: LONG_AGO + 1, offset: 1 }, { source: tomorrow }),
    );
    const count = async (table: string): Promise<unknown> =>
      (await rig.dataSource.query<{ count: string }[]>(`SELECT count(*) FROM ${table}`))[0]?.count;
    expect(await count('deliveries_20200229')).toBe('1');
    expect(await count('deliveries_20200301')).toBe('1');
    expect(await count('attempts_20200229')).toBe('0');
    expect(await count('attempts_20200301')).toBe('2');

    const dropped = await rig.days.dropBefore(rig.pool, LONG_AGO + 1);
    expect(dropped).toContain('deliveries_20200229');
    expect(dropped.every((name) => name.endsWith('20200229'))).toBe(true);
    // A late record finds its day again, for someone who does not know that it was dropped, too.
    await rig.days.ensure(rig.pool, [LONG_AGO]);
    await new DayPartitions().dropBefore(rig.pool, LONG_AGO + 1);
    const late = outcome(id, 'delivered', 1, { at: LONG_AGO, offset: 2 });
    await expect(write(late)).rejects.toThrow(/no partition/);
    await write(late);
    expect(await count('deliveries')).toBe('2');
  });

  it('drops a day in such an order that nothing matched ever stands without its deliveries', async () => {
    const source = { partition: 0, offset: 1, at: LONG_AGO };
    await write(outcome(newId(), 'delivered', 1, { at: LONG_AGO, offset: 0 }, { source }));
    // The log may still have it: what was expunged is forgotten later.
    await rig.pool.query(`
      INSERT INTO events VALUES (0, 1, '2020-02-29T12:00:00Z', 'ten_1', 'e', 't', 'x', NULL, '', 0);
      INSERT INTO expunged_events VALUES (0, 1, '2020-02-29T12:00:00Z', now())`);
    const gone: string[] = [];
    const database = {
      query: async (sql: string, values?: unknown[]) => {
        const [, table] = /DROP TABLE (\w+)/.exec(sql) ?? [];
        if (table?.startsWith('deliveries')) throw new Error('the connection is lost');
        if (table !== undefined) gone.push(table);
        return rig.pool.query(sql, values);
      },
    } as unknown as typeof rig.pool;
    await expect(rig.days.dropBefore(database, LONG_AGO + DAY_MS)).rejects.toThrow(/is lost/);
    expect(gone).toEqual(['events_20200229', 'event_routes_20200229']);
    expect(await rig.dataSource.query('SELECT "offset" FROM expunged_events')).toEqual([{ offset: '1' }]);
    const rest = await rig.days.dropBefore(rig.pool, LONG_AGO + DAY_MS);
    expect(rest).toEqual(['deliveries_20200229', 'replay_deliveries_20200229', 'attempts_20200229']);
  });

  describe('over a database that is made anew from the log', () => {
    const answered = (offset: number): OutcomeToRecord => {
      const record = outcome(newId(), 'retrying', 1, { at: LONG_AGO, offset: 0 }, { source: { ...source, offset } });
      Object.assign(record.outcome.delivery?.attempt ?? {}, { responseBody: `got ${offset}` });
      return record;
    };
    const answers = (): Promise<object[]> =>
      rig.dataSource.query(`SELECT event_offset::int AS "offset", response_body AS answer FROM attempts ORDER BY 1`);
    const expunge = (database: Queryable, offset: number): Promise<void> =>
      noteExpunged(database, [{ ...source, offset, expungedAt: new Date() }]);

    it('waits until that is done, and lets nothing back that was expunged', async () => {
      await rig.dataSource.query('DELETE FROM tenants');
      const rebuild = rig.dataSource.createQueryRunner();
      await rebuild.startTransaction();
      await rebuildManagement(rebuild.manager, [], []);
      const writing = write(answered(1), answered(2));
      await waitUntil(
        async () => {
          const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
          return (await rig.pool.query(waiting)).rowCount === 1;
        },
        { deadlineMs: 60_000, what: 'the writer to wait for its turn' },
      );
      await expunge(rebuild.manager, 1);
      await rebuild.commitTransaction();
      await rebuild.release();
      await writing;
      expect(await answers()).toEqual([
        { offset: 1, answer: null },
        { offset: 2, answer: 'got 2' },
      ]);
    });

    it('that had written to the one before looks again at what was expunged', async () => {
      await write(answered(1));
      await rig.pool.query(`DELETE FROM attempts; UPDATE recorder_offsets SET next_offset = 0`);
      await expunge(rig.dataSource, 1);
      await expect(write(answered(1))).rejects.toThrow(OffsetsMoved);
      rig.next = 0;
      await write(answered(1), answered(2));
      expect(await answers()).toEqual([
        { offset: 1, answer: null },
        { offset: 2, answer: 'got 2' },
      ]);
    });

    it('keeps what stands at the offset of something expunged, where hookline.events was made anew', async () => {
      const anew = answered(1);
      anew.outcome.source = { ...source, offset: 1, at: source.at + 1_000 };
      await expunge(rig.dataSource, 1);
      await expunge(rig.dataSource, 2);
      await write(anew, answered(2));
      expect(await answers()).toEqual([
        { offset: 1, answer: 'got 1' },
        { offset: 2, answer: null },
      ]);
    });

    it('keeps that from being done where it was there first: it is refused, and nothing is written', async () => {
      await rig.dataSource.query('DELETE FROM tenants');
      await write(answered(1));
      const rebuilding = rig.dataSource.transaction((manager) => rebuildManagement(manager, [], []));
      await expect(rebuilding).rejects.toThrow(
        /partition 0 of attempts up to 1.*Nothing was written\. Stop the recorders/,
      );
      await rig.dataSource.query('UPDATE recorder_offsets SET next_offset = 0');
      await rig.dataSource.transaction((manager) => rebuildManagement(manager, [], []));
    });
  });

  it('writes nothing when the offsets are not as expected', async () => {
    const id = newId();
    await write(outcome(id, 'pending', 1, { at: LONG_AGO, offset: 0 }));
    rig.next = 0;
    await expect(write(outcome(id, 'delivered', 2, { at: LONG_AGO, offset: 1 }))).rejects.toThrow(OffsetsMoved);
    expect((await deliveries.get(null, id))?.attempts).toHaveLength(1);
  });

  it('pages through deliveries, newest event first, of one subscription or of a tenant', async () => {
    for (const subscription of ['sub_1', 'sub_2'])
      await rig.dataSource.query(
        `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
         VALUES ($1, 'ten_1', 'http://x', '{*}', 'enabled', '', 1)`,
        [subscription],
      );
    const outcomes = Array.from({ length: 20 }, (_, i) =>
      outcome(
        newId(),
        i % 4 === 0 ? 'retrying' : 'delivered',
        1,
        { at: LONG_AGO, offset: i },
        {
          // Several of one time, and on two days.
          source: { partition: 0, offset: i, at: LONG_AGO + Math.floor(i / 6) },
          subscriptionId: i % 2 === 0 ? 'sub_1' : 'sub_2',
        },
      ),
    );
    await write(...outcomes);
    const all = async (filter: Parameters<DeliveryHistory['list']>[0]): Promise<number[]> => {
      const offsets: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await deliveries.list(filter, 3, cursor);
        expect(page.deliveries.length).toBeLessThanOrEqual(3);
        offsets.push(...page.deliveries.map(({ event }) => event.offset));
        cursor = page.next;
      } while (cursor !== undefined);
      const times = offsets.map((offset) => -Math.floor(offset / 6));
      expect(times).toEqual(times.slice().sort((a, b) => a - b));
      return offsets.sort((a, b) => a - b);
    };
    const numbers = (matches: (i: number) => boolean) => outcomes.map((_, i) => i).filter(matches);
    expect(await all({ tenantId: 'ten_1' })).toEqual(numbers(() => true));
    expect(await all({ tenantId: null, subscriptionId: 'sub_1' })).toEqual(numbers((i) => i % 2 === 0));
    expect(await all({ tenantId: null, subscriptionId: 'sub_1', state: 'retrying' })).toEqual(
      numbers((i) => i % 4 === 0),
    );
    expect(await all({ tenantId: 'ten_1', state: 'delivered' })).toEqual(numbers((i) => i % 4 !== 0));
    expect(await all({ tenantId: 'ten_2' })).toEqual([]);
    await expect(deliveries.list({ tenantId: null }, 3, 'garbage')).rejects.toThrow('cursor');
    expect(await new EventHistory(rig.dataSource).deliveries({ partition: 0, offset: 3, at: LONG_AGO })).toHaveLength(
      1,
    );
  });
});
