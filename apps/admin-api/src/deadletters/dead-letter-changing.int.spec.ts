import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@hookline/domain';
import { AuditTrail, beginCatchUps, DeliveryHistory, DeliveryStates, EventHistory } from '@hookline/persistence';
import { ProblemError, systemClock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import { ReplaysService } from '../replays/replays.service.js';
import { ReplayRig } from '../testing/replay-rig.js';
import { DeadLetterChanging } from './dead-letter-changing.js';

const HOUR_MS = 3_600_000;
/** More than one transaction takes. */
const MANY = 5_001;
const log = { bounds: async () => [] };

let rig: ReplayRig;

beforeAll(async () => {
  // Nothing runs the replays here: they stay as they are.
  rig = await ReplayRig.start();
});
afterAll(() => rig.stop());

interface Buried {
  caller: { kind: 'tenant'; tenantId: string; keyId: string };
  id: string;
}

/** A subscription with so many dead letters. */
async function buried(count: number): Promise<Buried> {
  const { tenant: tenantId, id } = await rig.subscribe();
  await bury({ tenantId, id }, count, 'expired');
  return { caller: { kind: 'tenant', tenantId, keyId: newId('key') }, id };
}

async function bury(
  { tenantId, id }: { tenantId: string; id: string },
  count: number,
  reason: string,
  { letterAt = Date.now() } = {},
): Promise<void> {
  // Of a day that has its table.
  const [event] = await rig.publish(tenantId, ['a.b']);
  if (event === undefined) throw new Error('nothing was published');
  await rig.decide([event], []);
  await rig.database.query(
    `INSERT INTO deliveries (delivery_id, event_at, event_partition, event_offset, tenant_id, subscription_id,
       event_id, type, state, reason, attempts, sole_match, updated_at, outcome_offset)
     SELECT gen_random_uuid(), $1, 0, n, $2, $3, 'evt', 'a.b', 'dead-lettered', $4, 1, false, $5, 0
       FROM generate_series(1, $6::integer) AS n`,
    [new Date(event.at), tenantId, id, reason, new Date(letterAt), count],
  );
}

function changing(database: Database = rig.database): DeadLetterChanging {
  return new DeadLetterChanging(database, log, systemClock, {
    atOnce: 20_000,
    maxOpenReplays: 10,
    keptMs: HOUR_MS * 24,
  });
}

/** The database, where something happens once so many transactions are done. */
function databaseWith(after: number, happens: () => Promise<unknown>): Database {
  let done = 0;
  const transaction: Database['transaction'] = async (work) => {
    const result = await rig.database.transaction(work);
    done += 1;
    if (done === after) await happens();
    return result;
  };
  return Object.assign(Object.create(rig.database) as Database, { transaction });
}

/** After the replay is there, and the first batch is chosen. */
const FIRST_BATCH = 2;

async function replayOf({ caller }: Buried): Promise<{ id: string; status: string; partitions: object }> {
  const [row] = await rig.database.query<{ id: string; status: string; partitions: object }[]>(
    'SELECT id, status, partitions FROM replays WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1',
    [caller.tenantId],
  );
  if (row === undefined) throw new Error('there is no replay');
  return row;
}

function replays(): ReplaysService {
  const { database } = rig;
  const deliveries = new DeliveryHistory(database);
  const history = { events: new EventHistory(database), deliveries, states: new DeliveryStates(database) };
  return new ReplaysService(database, rig.log, history, systemClock, 10);
}

async function affected({ caller }: Buried): Promise<number[]> {
  return (await new AuditTrail(rig.database).list(caller.tenantId, 10, undefined)).map((entry) => entry.affected);
}

async function problemOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ProblemError ? error.problem : error;
}

describe('a redrive', () => {
  it.each([4, MANY])(
    'of %d whose replay is cancelled while they are chosen takes none of them, and says so',
    async (count) => {
      const all = await buried(count);
      const cancel = async (): Promise<void> => replays().cancel(all.caller, (await replayOf(all)).id);
      const redrive = changing(databaseWith(FIRST_BATCH, cancel)).redrive(all.caller, { dryRun: false });
      expect(await problemOf(redrive)).toMatchObject({ status: 409, title: expect.stringContaining('ended') });
      expect(await replayOf(all)).toMatchObject({ status: 'cancelled', partitions: {} });
      expect(await affected(all)).toEqual([0]);

      expect(await changing().redrive(all.caller, { dryRun: false })).toMatchObject({ count });
      expect(await affected(all)).toEqual([count, 0]);
    },
  );

  it('can not be paused or resumed while its deliveries are chosen, for it would begin with none', async () => {
    const all = await buried(MANY);
    const problems: unknown[] = [];
    const pause = async (): Promise<void> => {
      const { id } = await replayOf(all);
      problems.push(await problemOf(replays().pause(all.caller, id)));
      await replays().resume(all.caller, id);
    };
    const made = await changing(databaseWith(FIRST_BATCH, pause)).redrive(all.caller, { dryRun: false });
    expect(problems).toMatchObject([{ status: 409, detail: expect.stringContaining('chosen') }]);
    expect(made).toMatchObject({ count: MANY });
    const { id, status, partitions } = await replayOf(all);
    expect({ status, partitions }).toEqual({
      status: 'pending',
      partitions: { 0: { from: 1, next: 1, to: MANY + 1 } },
    });
    expect(await replays().pause(all.caller, id)).toMatchObject({ status: 'paused' });
  });

  it('leaves what a catch-up brings that has not ended, and takes the rest', async () => {
    const some = await buried(2);
    const { caller, id } = some;
    const its = { tenantId: caller.tenantId, id };
    await bury(its, 3, 'let-go');
    await bury(its, 5, 'endpoint-gone', { letterAt: Date.now() - 2 * HOUR_MS });
    const counted = async (): Promise<object> => {
      const { count, leftOut } = await changing().redrive(caller, { dryRun: true });
      const { count: discardable } = await changing().discard(caller, { dryRun: true });
      return { count, underWay: leftOut.underWay, discardable };
    };
    const free = { count: 10, underWay: 0, discardable: 10 };
    expect(await counted()).toEqual(free);
    const begin = async (more: { from?: number; missedSince?: number }): Promise<string> => {
      const replayId = newId('rpl');
      const about = { replayId, kind: 'catch-up', subscriptionId: id, tenantId: caller.tenantId, version: 3 } as const;
      await rig.database.transaction((manager) => beginCatchUps(manager, { ...about, ...more }));
      return replayId;
    };
    const end = (replayId: string): Promise<void> => replays().cancel(caller, replayId);
    const missedSince = Date.now() - HOUR_MS;

    const bringing = await begin({ missedSince });
    expect(await counted()).toEqual({ count: 8, underWay: 2, discardable: 8 });
    await end(bringing);
    expect(await counted()).toEqual(free);
    // One that brings nothing of what was missed, and one that begins behind these events.
    await begin({});
    await begin({ missedSince, from: Date.now() + HOUR_MS });
    expect(await counted()).toEqual(free);
  });

  it('leaves what a catch-up has handed over that has just ended, until its outcomes are told', async () => {
    const { caller, id } = await buried(5);
    const { tenantId } = caller;
    const count = async (): Promise<number[]> => {
      const { count: free, leftOut } = await changing().redrive(caller, { dryRun: true });
      return [free, leftOut.underWay];
    };
    const catchUp = async (version: number): Promise<string> => {
      const replayId = newId('rpl');
      const missedSince = Date.now() - HOUR_MS;
      const about = { replayId, kind: 'catch-up', subscriptionId: id, tenantId, version, missedSince } as const;
      await rig.database.transaction((manager) => beginCatchUps(manager, about));
      // It has come as far as the third.
      await rig.database.query(
        `UPDATE replays SET status = 'completed', version = $2, started_at = now(), finished_at = now(),
           partitions = '{"0": {"from": 0, "next": 4, "to": 9}}' WHERE id = $1`,
        [replayId, version],
      );
      return replayId;
    };
    /** Another end of one, as the recorder writes it. */
    const told = (offset: number, replayId: string): Promise<unknown> =>
      rig.database.query(
        `WITH again AS (
           UPDATE deliveries SET updated_at = now(), replay_id = $3::text
            WHERE subscription_id = $1 AND event_offset = $2 RETURNING delivery_id, event_at)
         INSERT INTO replay_deliveries SELECT $3::text, delivery_id, event_at, 'dead-lettered', now(), 0 FROM again`,
        [id, offset, replayId],
      );
    const first = await catchUp(3);
    expect(await count()).toEqual([2, 3]);
    await told(1, first);
    expect(await count()).toEqual([3, 2]);
    // By a replay that ended it meanwhile: that is no letter of before the catch-up.
    await told(2, newId('rpl'));
    expect(await count()).toEqual([4, 1]);
    // What it had in the lanes does not come any more: a later one, which has brought nothing yet, has taken its place.
    await rig.database.query(`UPDATE replays SET partitions = '{}' WHERE id = $1`, [await catchUp(4)]);
    expect(await count()).toEqual([5, 0]);
  });
});

/** Chosen is a batch, and nobody goes on. */
async function cutOff(all: Buried): Promise<string> {
  const dies = (): Promise<never> => Promise.reject(new Error('the process is killed'));
  const redrive = changing(databaseWith(FIRST_BATCH, dies)).redrive(all.caller, { dryRun: false });
  await expect(redrive).rejects.toThrow('killed');
  return (await replayOf(all)).id;
}

describe('a redrive whose process dies while it chooses', () => {
  it('sends what it has chosen, as its audit entry says; whoever asks again gets the rest', async () => {
    const all = await buried(MANY);
    const id = await cutOff(all);
    expect(await affected(all)).toEqual([MANY - 1]);
    expect(await changing().redrive(all.caller, { dryRun: false })).toMatchObject({ count: 1 });

    // It waits for ten minutes.
    await rig.database.query('UPDATE replays SET resume_at = NULL WHERE id = $1', [id]);
    const machinery = rig.run();
    await rig.until('the replay to know what it reads', async () => (await rig.replay(id))['status'] === 'running');
    await machinery.stop();
    expect(await rig.replay(id)).toMatchObject({ status: 'running', partitions: { 0: { from: 1, to: MANY } } });
    expect(await affected(all)).toEqual([1, MANY - 1]);
  });

  it('has taken none where its replay is cancelled, and its audit entry says so', async () => {
    const all = await buried(4);
    const id = await cutOff(all);
    expect(await affected(all)).toEqual([4]);
    await replays().cancel(all.caller, id);
    expect(await affected(all)).toEqual([0]);

    expect(await changing().redrive(all.caller, { dryRun: false })).toMatchObject({ count: 4 });
    await replays().cancel(all.caller, (await replayOf(all)).id);
    expect(await affected(all)).toEqual([4, 0]);
  });
});
