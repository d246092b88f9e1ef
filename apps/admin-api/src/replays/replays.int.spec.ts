import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  decodeDeliveryHeaders,
  decodeEventHeaders,
  encodeEventHeaders,
  optionalHeader,
  TOPICS,
  type LogPosition,
} from '@hookline/contracts';
import { deliveryIdOf, newId } from '@hookline/domain';
import { ProducerPump, RangeReader, type Output } from '@hookline/kafka';
import {
  connectionOptions,
  createDataSource,
  createPool,
  DayPartitions,
  DeliveryStates,
  ExpungedPayloads,
  Session,
} from '@hookline/persistence';
import { silentLogger, systemClock } from '@hookline/platform';
import { distinct, waitUntil } from '@hookline/testing';
import type { Producer } from 'kafkajs';
import type { Caller } from '../auth/caller.js';
import { Database } from '../database/database.js';
import { AdminRig, adminSettings, migratedDatabase } from '../testing/admin-rig.js';
import type { ApiClient } from '../testing/api-client.js';
import { endOffsets, makeTopics, readFrom, testKafka, testProducer } from '../testing/topics.js';
import { LogOffsets } from '../topics/log-offsets.js';
import { Decisions } from './decisions.js';
import { replayHistory } from '../replay-machinery.js';
import { UNBOUNDED } from './pace.js';
import { openRecipients } from './recipients.js';
import { ReplayRunner } from './replay-runner.js';
import { ReplayScheduler } from './replay-scheduler.js';
import { ReplaysService } from './replays.service.js';
import { Selection } from './selection.js';
import { subscribedNow } from './subscribed.js';

interface Published extends LogPosition {
  id: string;
  type: string;
}

let producer: Producer;

beforeAll(async () => {
  await makeTopics();
  producer = await testProducer();
});

afterAll(() => producer.disconnect());

/** Appends events to `hookline.events` as ingest does, one send for each partition, and says where they stand. */
async function publish(tenant: string, types: readonly string[], bytes = 20): Promise<Published[]> {
  const before = await endOffsets(TOPICS.events);
  const partitions = [...before.keys()];
  const messages = types.map((type, index) => ({
    partition: partitions[index % partitions.length] as number,
    value: JSON.stringify({ text: 'x'.repeat(bytes) }),
    headers: encodeEventHeaders({ tenant, id: newId('evt'), type, time: '2026-01-01T00:00:00Z' }),
  }));
  await producer.send({ topic: TOPICS.events, acks: -1, messages });
  const records = await readFrom(TOPICS.events, before);
  return records
    .filter(({ headers }) => optionalHeader(headers, 'event')?.includes(tenant))
    .map((record) => ({
      ...idAndType(record.headers),
      partition: record.partition,
      offset: record.offset,
      at: record.timestamp,
    }));
}

function idAndType(headers: Readonly<Record<string, unknown>>): { id: string; type: string } {
  const { id, type } = decodeEventHeaders(headers);
  return { id, type };
}

/** What a replay put into its lane: `<delivery id>`, in any order, each once. */
const arrived = async (replayId: string): Promise<string[]> => distinct(await arrivedWithRepeats(replayId), String);

async function arrivedWithRepeats(replayId: string): Promise<string[]> {
  const records = await readFrom(TOPICS.replays, new Map());
  return records
    .filter(({ headers }) => String(headers['replay']) === replayId)
    .map((record) => {
      const delivery = decodeDeliveryHeaders(record.headers);
      expect(String(record.key)).toBe(delivery.subscriptionId);
      expect(delivery).toMatchObject({ attempts: 0, history: [], replayId });
      return delivery.deliveryId;
    })
    .sort();
}

function deliveryIds(tenant: string, events: readonly Published[], subscriptionId: string): string[] {
  return events.map((event) => deliveryIdOf({ tenant, id: event.id }, event, subscriptionId)).sort();
}

describe('a replay', () => {
  let rig: AdminRig;

  beforeAll(async () => {
    rig = await AdminRig.start({ HOOKLINE_MAX_OPEN_REPLAYS: '1000' });
  });

  afterAll(() => rig.stop());

  async function subscriber(): Promise<{
    id: string;
    client: ApiClient;
    subscribe: (types: string[]) => Promise<string>;
  }> {
    const { id, client } = await rig.tenant();
    const subscribe = async (types: string[]): Promise<string> => {
      const made = await client.post('/v1/webhooks/subscriptions', { url: 'https://example.com/', types });
      return String(made.body['id']);
    };
    return { id, client, subscribe };
  }

  async function replay(client: ApiClient, request: object): Promise<Record<string, unknown> & { id: string }> {
    const made = await client.post('/v1/replays', { topic: TOPICS.events, ...request });
    expect(made).toMatchObject({ status: 202, body: { delivered: 0, failed: 0 } });
    return waitUntil(
      async () => {
        const { body } = await client.get(`/v1/replays/${String(made.body['id'])}`);
        return body['status'] === 'completed' && (body as Record<string, unknown> & { id: string });
      },
      { deadlineMs: 90_000, what: 'the replay to be complete' },
    );
  }

  it('of random ranges brings exactly what they hold, each once', async () => {
    const { id: tenant, client, subscribe } = await subscriber();
    const orders = await subscribe(['order.*']);
    const events = await publish(
      tenant,
      Array.from({ length: 240 }, (_, i) => (i % 3 ? 'order.created' : 'user.created')),
    );
    // Another tenant's events stand in between, and are not its own.
    await publish(
      newId('ten'),
      Array.from({ length: 30 }, () => 'order.created'),
    );
    const bounds = await endOffsets(TOPICS.events);
    const first = Math.min(...events.map(({ offset }) => offset));
    for (let round = 0; round < 4; round += 1) {
      const from: Record<string, number> = {};
      const to: Record<string, number> = {};
      for (const [partition, high] of bounds) {
        if (partition > 0 && Math.random() < 0.3) continue;
        const [a, b] = [0, 0].map(() => first + Math.floor(Math.random() * Math.max(1, high - first)));
        const ends = [Math.min(a as number, b as number, high), Math.min(Math.max(a as number, b as number), high)];
        from[partition] = ends[0] as number;
        to[partition] = ends[1] as number;
      }
      const done = await replay(client, { from: { offsets: from }, to: { offsets: to } });
      const selected = events.filter(
        ({ partition, offset, type }) =>
          type === 'order.created' && offset >= (from[partition] ?? Infinity) && offset < (to[partition] ?? 0),
      );
      expect({ from, to, ids: await arrived(done.id) }).toEqual({
        from,
        to,
        ids: deliveryIds(tenant, selected, orders),
      });
      expect(done).toMatchObject({ matched: selected.length, sent: selected.length });
      expect(Object.keys(done['partitions'] as object).sort()).toEqual(Object.keys(from).sort());
    }
  });

  it('from a time between two events begins with the later one; `to` is exclusive', async () => {
    const { id: tenant, client, subscribe } = await subscriber();
    const all = await subscribe(['*']);
    const [early] = await publish(tenant, ['a.b']);
    await waitUntil(() => Date.now() > (early?.at ?? 0) + 5, { deadlineMs: 60_000, what: 'the clock to go on' });
    const late = await publish(tenant, ['a.b', 'a.b', 'a.b']);
    const between = Math.min(...late.map(({ at }) => at)) - 1;
    const after = await replay(client, { from: { timestamp: new Date(between).toISOString() } });
    expect(await arrived(after.id)).toEqual(deliveryIds(tenant, late, all));
    const before = await replay(client, { from: { timestamp: early?.at }, to: { timestamp: between } });
    expect(await arrived(before.id)).toEqual(deliveryIds(tenant, early ? [early] : [], all));
  });

  it('for some subscriptions brings theirs alone, and a tenant sees only its own replays', async () => {
    const { id: tenant, client, subscribe } = await subscriber();
    const [one, two] = [await subscribe(['a.*']), await subscribe(['*'])];
    const events = await publish(tenant, ['a.b', 'c.d', 'a.b', 'c.d']);
    const from = { timestamp: Math.min(...events.map(({ at }) => at)) };
    const only = await replay(client, { from, subscriptionIds: [one] });
    const ofOne = events.filter(({ type }) => type === 'a.b');
    expect(await arrived(only.id)).toEqual(deliveryIds(tenant, ofOne, one));
    const both = await replay(client, { from });
    const expected = [...deliveryIds(tenant, ofOne, one), ...deliveryIds(tenant, events, two)].sort();
    expect(await arrived(both.id)).toEqual(expected);
    expect(both).toMatchObject({ matched: 4, sent: 6, subscriptionIds: null });
    expect((await client.get('/v1/replays')).body['items']).toMatchObject([{ id: only.id }, { id: both.id }]);
    const other = await subscriber();
    expect((await other.client.get(`/v1/replays/${only.id}`)).status).toBe(404);
    expect((await other.client.get('/v1/replays')).body).toEqual({ items: [], nextCursor: null });
    const stolen = { topic: TOPICS.events, from, subscriptionIds: [one] };
    expect((await other.client.post('/v1/replays', stolen)).status).toBe(400);
    await client.patch(`/v1/webhooks/subscriptions/${one}`, { status: 'disabled' });
    expect((await client.post('/v1/replays', stolen)).body).toMatchObject({
      errors: [{ field: 'subscriptionIds[0]', message: 'is disabled: enable it first' }],
    });
  });

  it('leaves out what the history knows to repeat another event', async () => {
    const { id: tenant, client, subscribe } = await subscriber();
    const all = await subscribe(['*']);
    const events = await publish(tenant, ['a.b', 'a.b', 'a.b', 'a.b']);
    const [repeat, ...firsts] = events as [Published, ...Published[]];
    const pool = createPool(adminSettings(rig.database.url).database, () => undefined);
    await new DayPartitions().ensure(
      pool,
      events.map(({ at }) => at),
    );
    for (const { partition, offset, at } of events)
      await pool.query(
        `INSERT INTO event_routes (partition, "offset", appended_at, matched, duplicate_of) VALUES ($1, $2, $3, $4, $5)`,
        [partition, offset, new Date(at), [], offset === repeat.offset && partition === repeat.partition ? 0 : null],
      );
    await pool.end();
    const done = await replay(client, { from: { timestamp: Math.min(...events.map(({ at }) => at)) } });
    expect(await arrived(done.id)).toEqual(deliveryIds(tenant, firsts, all));
  });

  it('can be asked for with what GET /v1/topics/… says, and one of nothing is complete at once', async () => {
    const { client, subscribe } = await subscriber();
    await subscribe(['*']);
    const { body } = await client.get(`/v1/topics/${TOPICS.events}/offsets?timestamp=${Date.now() + 3_600_000}`);
    const partitions = body['partitions'] as { partition: number; earliest: number; latest: number; at: number }[];
    for (const { latest, at } of partitions) expect(at).toBe(latest);
    const offsets = Object.fromEntries(partitions.map(({ partition, latest }) => [partition, latest]));
    expect(await replay(client, { from: { offsets } })).toMatchObject({ scanned: 0, sent: 0 });
  });
});

describe('a replay whose process dies in the middle', () => {
  it('is resumed where it was saved: everything arrives, and only what was not saved comes twice', async () => {
    const testDatabase = await migratedDatabase();
    const settings = adminSettings(testDatabase.url);
    const database = new Database(() => createDataSource(settings.database), 60_000);
    const log = new LogOffsets(testKafka(), 60_000);
    const pump = new ProducerPump(
      { kafka: testKafka(), clock: systemClock, logger: silentLogger },
      { ...settings.pump, maxBufferedBytes: 50_000_000 },
    );
    const tenant = newId('ten');
    const subscription = newId('sub');
    await database.query(`INSERT INTO tenants (id, name) VALUES ($1, 'a')`, [tenant]);
    await database.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
       VALUES ($1, $2, 'https://example.com/', '{*}', 'enabled', '', 1)`,
      [subscription, tenant],
    );
    const from = await endOffsets(TOPICS.events);
    const events: Published[] = [];
    for (let i = 0; i < 10; i += 1) events.push(...(await publish(tenant, Array(60).fill('a.b'), 500)));

    const caller: Caller = { kind: 'tenant', tenantId: tenant, keyId: newId('key') };
    const service = new ReplaysService(database, log, replayHistory(database), systemClock, 1);
    const { id } = await service.create(caller, {
      topic: TOPICS.events,
      from: { offsets: Object.fromEntries([...from].map(([partition, offset]) => [String(partition), offset])) },
      subscriptions: 'matching',
      outcome: 'all',
      dryRun: false,
    });

    const sessions: Session[] = [];
    const openSession = async (): Promise<Session> => {
      const session = await Session.open(connectionOptions(settings.database));
      sessions.push(session);
      return session;
    };
    const schedulerOver = (output: Output): ReplayScheduler => {
      const runner = new ReplayRunner({
        readerFor: () => new RangeReader(testKafka(), { maxBytes: 20_000 }),
        resolve: async () => true,
        openSelection: async (job) => {
          const decisions = new Decisions({ database, log, clock: systemClock, logger: silentLogger, waitMs: 0 });
          return new Selection(job, {
            recipients: await openRecipients(database, job, decisions),
            decisions,
            states: new DeliveryStates(database),
            payloads: new ExpungedPayloads(database),
            logger: silentLogger,
            spans: [],
          });
        },
        paceOf: () => UNBOUNDED,
        subscribedNow: (ids) => subscribedNow(database, ids),
        output,
        maxInFlightBytes: 1_000_000,
      });
      return new ReplayScheduler(openSession, runner, silentLogger, { concurrency: 1, pollMs: 100 });
    };

    let handedOver = 0;
    let died: () => void = () => undefined;
    const death = new Promise<void>((resolve) => (died = resolve));
    const deadly: Output = {
      produce: async (record) => {
        const appended = await pump.produce(record);
        handedOver += 1;
        // Its connection goes, and with it the lock; nothing that it does afterwards may count.
        if (handedOver === 250) await sessions[0]?.close().then(died);
        return appended;
      },
    };
    const first = schedulerOver(deadly);
    first.start();
    await death;
    await first.stop();

    const middle = await service.get(caller, id);
    expect(middle.status).toBe('running');
    expect(middle.sent).toBeGreaterThan(0);
    expect(middle.sent).toBeLessThan(250);

    const second = schedulerOver(pump);
    second.start();
    await waitUntil(async () => (await service.get(caller, id)).status === 'completed', {
      deadlineMs: 90_000,
      what: 'the replay to be resumed and complete',
    });
    await second.stop();

    const ids = await arrivedWithRepeats(id);
    expect(distinct(ids, String)).toEqual(deliveryIds(tenant, events, subscription));
    expect(ids.length - events.length).toBeLessThanOrEqual(handedOver - middle.sent);
    expect(await service.get(caller, id)).toMatchObject({ sent: events.length, matched: events.length });

    await pump.stop({ drainMs: 1_000 });
    await log.close();
    await database.close();
    await testDatabase.drop();
  });
});
