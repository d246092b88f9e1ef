import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProgress, EXPUNGED_PREFIX, TOPICS, type ExpungedRecord, type LogPosition } from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import {
  createDataSource,
  createPool,
  DayPartitions,
  ExpungedPayloads,
  HistoryWriter,
  noteExpunged,
} from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import { AdminRig, adminSettings, migratedDatabase, OPERATOR_TOKEN, startAdmin } from '../testing/admin-rig.js';
import { ApiClient } from '../testing/api-client.js';
import { readFrom } from '../testing/topics.js';

const AT = Date.now() - 60_000;
const ID = 'a/b';

let rig: AdminRig;
let tenant: { id: string; client: ApiClient };
let subscription: string;
let source: ReturnType<typeof createDataSource>;

/** Writes, as the recorder does, an event and an attempt of its delivery, whose endpoint answered with what it got. */
async function record(
  offset: number,
  id: string,
  tenantId: string,
  state: 'retrying' | 'delivered' = 'retrying',
  into = rig.database.url,
): Promise<string> {
  const pool = createPool(adminSettings(into).database, () => undefined);
  const position = { partition: 0, offset, at: AT + offset };
  const envelope = { tenant: tenantId, id, type: 'person.moved', time: '2026-11-20T12:00:00Z' };
  const deliveryId = deliveryIdOf(envelope, position, subscription);
  const attempt = { id: `att_${offset}`, number: 1, at: AT, durationMs: 3, status: 500, responseBody: 'got Jane Doe' };
  await new HistoryWriter(pool, new DayPartitions()).write(
    {
      moves: [],
      events: [{ position, envelope, payload: Buffer.from('{"name":"Jane Doe"}') }],
      outcomes: [
        {
          position: { partition: 0, offset, at: AT + offset + 5 },
          outcome: {
            v: 1,
            tenant: tenantId,
            eventId: id,
            type: envelope.type,
            source: position,
            matched: [subscription],
            delivery: { id: deliveryId, subscriptionId: subscription, state, attempt },
          },
        },
      ],
    },
    new AbortController().signal,
  );
  await pool.end();
  return deliveryId;
}

/** What the log says of the events that were appended at these times, once it says something of each. */
function untilTold(...times: number[]): Promise<ExpungedRecord[]> {
  return waitUntil(
    async () => {
      const told = new Map<number, ExpungedRecord>();
      for (const { key, value } of await readFrom(TOPICS.progress, new Map())) {
        if (value === null || !String(key).startsWith(EXPUNGED_PREFIX)) continue;
        const record = decodeProgress<ExpungedRecord>(value);
        told.set(record.at, record);
      }
      const found = times.flatMap((at) => told.get(at) ?? []);
      return found.length === times.length && found;
    },
    { deadlineMs: 90_000, what: 'the log to be told' },
  );
}

beforeAll(async () => {
  rig = await AdminRig.start();
  source = await createDataSource(adminSettings(rig.database.url).database).initialize();
  tenant = await rig.tenant();
  const made = await tenant.client.post('/v1/webhooks/subscriptions', { url: 'https://example.com/' });
  subscription = String(made.body['id']);
});

afterAll(async () => {
  await source.destroy();
  await rig.stop();
});

describe('the payload of an event', () => {
  it('is gone from the history at once, with what endpoints answered, and it is said where else it is', async () => {
    const deliveries = [await record(1, ID, tenant.id), await record(2, ID, tenant.id)];
    await record(3, 'another', tenant.id);
    const path = `/v1/events/${encodeURIComponent(ID)}`;
    const { status, body } = await tenant.client.delete(`${path}/payload`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: ID, tenantId: tenant.id, events: [{ offset: 1 }, { offset: 2 }] });
    const topics = (body['copies'] as { topic: string }[]).map(({ topic }) => topic);
    expect(topics).toEqual(
      expect.arrayContaining(['hookline.events', 'hookline.retry.5s', 'hookline.attempts', 'hookline.dead-letters']),
    );

    const event = (await tenant.client.get(path)).body;
    expect(event).toMatchObject({ payload: null, data: null, size: 19 });
    expect(event['expungedAt']).toEqual((body['events'] as { expungedAt: string }[])[1]?.expungedAt);
    const attempts = await Promise.all(deliveries.map((id) => tenant.client.get(`/v1/deliveries/${id}`)));
    for (const { body: delivery } of attempts)
      expect(delivery['attempts']).toMatchObject([{ status: 500, responseBody: null }]);
    const dump = await source.query<{ row: string }[]>(
      `SELECT e::text AS row FROM events e WHERE event_id = '${ID}'
       UNION ALL SELECT a::text FROM attempts a WHERE a.event_offset IN (1, 2)`,
    );
    expect(dump).toHaveLength(4);
    expect(JSON.stringify(dump)).not.toMatch(/Jane|4a616e65/);

    const other = (await tenant.client.get('/v1/events/another')).body;
    expect(other).toMatchObject({ payload: '{"name":"Jane Doe"}', expungedAt: null });
  });

  it('does not come back to a database that is made anew from the log, nor what endpoints answered, for the log was told', async () => {
    const told = await untilTold(AT + 1, AT + 2);
    expect(told.map(({ partition, offset }) => [partition, offset])).toEqual([[0, 1], [0, 2]]); // prettier-ignore
    const database = await migratedDatabase();
    const anew = await createDataSource(adminSettings(database.url).database).initialize();
    await noteExpunged(
      anew,
      told.map((record) => ({ ...record, expungedAt: new Date(record.expungedAt) })),
    );
    for (const offset of [1, 2]) await record(offset, ID, tenant.id, 'retrying', database.url);
    await record(3, 'another', tenant.id, 'retrying', database.url);
    const rows = await anew.query<unknown[]>(
      `SELECT e."offset"::int, convert_from(e.payload, 'UTF8') AS payload, e.size, a.response_body AS answer
         FROM events e JOIN attempts a ON a.event_offset = e."offset" ORDER BY 1`,
    );
    await anew.destroy();
    await database.drop();
    const gone = { payload: '', size: 19, answer: null };
    expect(rows).toEqual([
      { offset: 1, ...gone },
      { offset: 2, ...gone },
      { offset: 3, payload: '{"name":"Jane Doe"}', size: 19, answer: 'got Jane Doe' },
    ]);
  });

  it('is told to the log though whoever took it out died before Kafka heard of it: by the next one, from the outbox', async () => {
    const database = await migratedDatabase();
    const dying = await startAdmin(database.url, {
      KAFKA_BROKERS: '127.0.0.1:1',
      HOOKLINE_ADMIN_TIMEOUT: '60s',
      HOOKLINE_DRAIN_TIMEOUT: '1s',
    });
    const operator = new ApiClient(dying.url, OPERATOR_TOKEN);
    const tenantId = String((await operator.post('/v1/tenants', { name: 'a' })).body['id']);
    await record(30, 'untold', tenantId, 'retrying', database.url);
    const path = `/v1/events/untold/payload?tenantId=${tenantId}`;
    // Asked for twice it waits to be told once.
    expect([(await operator.delete(path)).status, (await operator.delete(path)).status]).toEqual([200, 200]);
    await dying.stop();
    const next = await startAdmin(database.url);
    const [told] = await untilTold(AT + 30);
    expect(told).toMatchObject({ v: 1, partition: 0, offset: 30, expungedAt: expect.any(Number) });
    await next.stop();
    await database.drop();
  });

  it('stays expunged since the first time when it is asked for again', async () => {
    const path = `/v1/events/${encodeURIComponent(ID)}/payload`;
    const [first, second] = [await tenant.client.delete(path), await tenant.client.delete(path)];
    expect(second.status).toBe(200);
    expect(second.body['events']).toEqual(first.body['events']);
  });

  it('of another tenant, or of an event that is not there, is answered as if there were none', async () => {
    const other = await rig.tenant();
    await record(4, 'theirs', other.id);
    for (const id of ['theirs', 'unknown', 'with\0nul'])
      expect((await tenant.client.delete(`/v1/events/${encodeURIComponent(id)}/payload`)).status).toBe(404);
    expect((await rig.operator.delete('/v1/events/theirs/payload')).body).toMatchObject({
      status: 400,
      errors: [{ field: 'tenantId' }],
    });
    expect((await other.client.get('/v1/events/theirs')).body).toMatchObject({ expungedAt: null });
  });

  it('may go on through the lanes while a replay may have brought it, or nobody knows yet whom it is for', async () => {
    const other = await rig.tenant();
    await record(20, 'over', other.id, 'delivered');
    const laneUntil = async (id: string): Promise<number> => {
      const { body } = await other.client.delete(`/v1/events/${id}/payload`);
      const copies = body['copies'] as { topic: string; until: string }[];
      return Date.parse(copies.find(({ topic }) => topic === 'hookline.deliveries')?.until ?? '');
    };
    const { windowMs } = adminSettings(rig.database.url).delivery;
    const over = await laneUntil('over');
    expect(over).toBeLessThan(Date.now() + 8 * 86_400_000);
    const replay = async (finishedAt: Date | null): Promise<void> => {
      await source.query(`DELETE FROM replays WHERE id = 'rpl_open'`);
      await source.query(
        `INSERT INTO replays (id, tenant_id, spec, status, finished_at) VALUES ('rpl_open', $1, '{}', 'running', $2)`,
        [other.id, finishedAt],
      );
    };
    await replay(null);
    expect(await laneUntil('over')).toBeGreaterThanOrEqual(over + windowMs);
    // What it brought at last may not be in the history yet.
    await replay(new Date());
    expect(await laneUntil('over')).toBeGreaterThanOrEqual(over + windowMs);
    await replay(new Date(Date.now() - 2 * windowMs));
    expect(await laneUntil('over')).toBe(over);
    await replay(new Date());
    const later = Date.now() + 86_400_000;
    const known = (): Promise<object> =>
      new ExpungedPayloads(source).copiesOf(other.id, [{ partition: 0, offset: 20, at: AT + 20 }], later);
    expect(await known()).toMatchObject({ underWay: false, deadLettered: false });
    await source.query(
      `INSERT INTO replay_deliveries (replay_id, delivery_id, event_at, state, updated_at, outcome_offset)
       SELECT 'rpl_open', delivery_id, event_at, 'retrying', updated_at, 1 FROM deliveries WHERE event_id = 'over'`,
    );
    expect(await known()).toMatchObject({ underWay: true });
    await source.query(`DELETE FROM replays WHERE id = 'rpl_open'`);

    await record(21, 'unrouted', other.id, 'delivered');
    await source.query(`DELETE FROM deliveries WHERE event_id = 'unrouted'`);
    expect(await laneUntil('unrouted')).toBeGreaterThanOrEqual(over + windowMs);
  });

  it('is known to whoever reads the log again', async () => {
    const known = new ExpungedPayloads(source);
    const at = (partition: number, ...offsets: number[]): LogPosition[] =>
      offsets.map((offset) => ({ partition, offset, at: AT + offset }));
    expect([await known.among(at(0, 0, 1)), await known.among(at(0, 2, 3, 9)), await known.among(at(1, 1))]).toEqual([
      new Set([1]),
      new Set([2]),
      new Set(),
    ]);
    expect(await known.among([])).toEqual(new Set());
  });

  it('Where hookline.events was made anew, an event at the offset of one that was expunged is another one', async () => {
    const known = new ExpungedPayloads(source);
    const [partition, offset] = [0, 1];
    expect(await known.among([{ partition, offset, at: AT + offset }])).toEqual(new Set([offset]));
    expect(await known.among([{ partition, offset, at: AT + offset + 86_400_000 }])).toEqual(new Set());
  });
});
