import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kafkaSection, loadConfig } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, TopicOffsets } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import {
  createTestDatabase,
  failFirstOfEach,
  waitUntil,
  WebhookReceiver,
  type HooklineApi,
  type TestDatabase,
} from '@hookline/testing';
import type { Admin } from 'kafkajs';
import { RolesInProcess } from '../testing/roles-in-process.js';
import { rebuildDatabase } from './rebuild-database.js';
import { setup } from './setup.js';
import { IDENTITIES, NOT_IN_THE_TOPICS } from './testing/rebuilt-rows.js';
import { allRows, differences, withDatabase, type Tables } from './testing/tables.js';

const DEADLINE_MS = 120_000;
const TEST_MS = 480_000;
/** What waits for longer than this waits until the test is over. */
const SOON_MS = 3_600_000;

/** What the API is asked before and after. */
const QUESTIONS = [
  '/v1/events/order.created-0',
  '/v1/events/order.created-3',
  '/v1/events/nobody.cares-1',
  '/v1/events/order.gone-0',
  '/v1/events?limit=100',
  '/v1/deliveries?limit=100',
  '/v1/deliveries?state=retrying',
  '/v1/deliveries?state=dead-lettered',
  '/v1/attempts?limit=100',
  '/v1/dead-letters',
  '/v1/dead-letters/summary',
  '/v1/dead-letters/records',
];

describe('hookline rebuild-database', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-rebuild-'));
  let cluster: EmbeddedKafka;
  let admin: Admin;
  let database: TestDatabase;
  let env: NodeJS.ProcessEnv & { DATABASE_URL: string };
  let hookline: RolesInProcess;
  let well: WebhookReceiver;
  let broken: WebhookReceiver;
  let gone: WebhookReceiver;

  beforeAll(async () => {
    [cluster, database] = await Promise.all([EmbeddedKafka.start({ dataDir, brokers: 1 }), createTestDatabase()]);
    env = {
      KAFKA_BROKERS: cluster.brokers.join(),
      DATABASE_URL: database.url,
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_EVENT_PARTITIONS: '2',
      HOOKLINE_LANE_PARTITIONS: '1',
      HOOKLINE_ATTEMPT_PARTITIONS: '2',
      // The first is for those that succeed at last; nothing else falls due here.
      HOOKLINE_RETRY_DELAYS: '1s,3h',
      HOOKLINE_OUTBOX_POLL: '200ms',
      HOOKLINE_REPLAY_POLL: '200ms',
      HOOKLINE_KEEPER_POLL: '200ms',
      HOOKLINE_VIEW_STALE: '1s',
      HOOKLINE_KNOWN_MARGIN: '200ms',
      // All roles, the endpoint and the test share one thread: where that stalls, nobody is to be taken for dead.
      HOOKLINE_SESSION_TIMEOUT: '2m',
      HOOKLINE_REBALANCE_TIMEOUT: '2m',
      HOOKLINE_ATTEMPT_TIMEOUT: '1m',
      HOOKLINE_FIRST_BYTE_TIMEOUT: '1m',
      HOOKLINE_PUBLISH_DEADLINE: '1m',
      HOOKLINE_ADMIN_TIMEOUT: '1m',
      HOOKLINE_LOG_LEVEL: 'silent',
    };
    const { kafka } = loadConfig({ kafka: kafkaSection }, env);
    admin = createKafka(kafka, { role: 'test', logger: silentLogger }).admin();
    await admin.connect();
    await setup(env, silentLogger);
    [well, broken, gone] = await Promise.all([
      WebhookReceiver.start(failFirstOfEach(1)),
      WebhookReceiver.start(() => ({ status: 500 })),
      WebhookReceiver.start(() => ({ status: 410 })),
    ]);
    hookline = new RolesInProcess(env);
    await hookline.start('ingest', 'admin-api', 'recorder', 'delivery');
  }, 240_000);

  afterAll(async () => {
    await hookline?.stop();
    await Promise.all([well, broken, gone].map((receiver) => receiver?.close()));
    await admin?.disconnect();
    await cluster?.stop('SIGKILL');
    await database?.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const until = (what: string, condition: () => Promise<boolean>): Promise<unknown> =>
    waitUntil(condition, { deadlineMs: DEADLINE_MS, what });

  async function newTenant(name: string): Promise<{ api: HooklineApi; id: string; key: string }> {
    const operator = hookline.api();
    const { id } = await operator.createTenant(name);
    const { key } = await operator.createKey(id, 'a key');
    const api = hookline.api(key);
    await until('ingest to know the key', async () => {
      const refused = await api.ingest('POST', '/v1/events', {}).catch((error: { status?: number }) => error.status);
      return refused === 400;
    });
    return { api, id, key };
  }

  const ask = async (api: HooklineApi): Promise<unknown[]> =>
    Promise.all(QUESTIONS.map(async (path) => [path, await api.admin('GET', path)]));

  const count = (sql: string): Promise<number> =>
    withDatabase(env.DATABASE_URL, async (source) => (await source.query<unknown[]>(sql)).length);

  async function ends(): Promise<string[]> {
    const found: string[] = [];
    for (const topic of [TOPICS.events, TOPICS.attempts])
      for (const { partition, high } of await new TopicOffsets(admin).bounds(topic))
        if (high > 0) found.push(`${topic}/${partition}: ${high}`);
    return found.sort();
  }

  /** Everything that the database says, once all readers of the log are at its end. */
  const settledRows = (): Promise<Tables> =>
    waitUntil(
      async () => {
        const end = await ends();
        const rows = await withDatabase(env.DATABASE_URL, allRows);
        const offsets = rows.get('recorder_offsets')?.filter((row) => row['next_offset'] !== 0) ?? [];
        const read = offsets.map((row) => `${row['topic']}/${row['partition']}: ${row['next_offset']}`).sort();
        const waiting = [...['outbox', 'late_slices'].flatMap((table) => rows.get(table) ?? []), ...unsettled(rows)];
        const facts = { end, read, waiting: waiting.slice(0, 3) };
        if (read.join() !== end.join() || waiting.length > 0) throw new Error(JSON.stringify(facts));
        return rows;
      },
      {
        deadlineMs: DEADLINE_MS,
        what: 'all to be through that falls due, and all readers of the log to be at its end',
      },
    );

  it(
    'brings back what each row said: events, deliveries, attempts, subscriptions, keys, dead letters, column by column',
    async () => {
      const { api, id: tenant, key } = await newTenant('first');
      const { api: second } = await newTenant('second');
      const revoked = await hookline.api().createKey(tenant, 'revoked');
      await hookline.api().admin('DELETE', `/v1/tenants/${tenant}/keys/${revoked.id}`);
      const subscribe = async (wanted: Parameters<HooklineApi['subscribe']>[0]): Promise<string> =>
        (await api.subscribe(wanted)).id;
      const all = await subscribe({ url: well.url, types: ['order.*'], maxInFlight: 5 });
      await subscribe({ url: well.url, types: ['order.*'], ordering: 'key' });
      const failing = await subscribe({ url: broken.url, types: ['order.failed'], rateLimit: { perSecond: 50 } });
      await subscribe({ url: gone.url, types: ['order.gone'] });
      const paused = await subscribe({ url: well.url, types: ['order.paused'] });
      const resumed = await subscribe({ url: well.url, types: ['order.resumed'] });
      const deleted = await subscribe({ url: well.url, types: ['order.deleted'] });
      const off = await subscribe({ url: well.url, types: ['order.off'] });
      await second.subscribe({ url: well.url, types: ['*'] });
      const change = (id: string, patch: object): Promise<unknown> =>
        api.admin('PATCH', `/v1/webhooks/subscriptions/${id}`, patch);

      const publish = (type: string, n: number): Promise<unknown> =>
        api.publishBatch(
          Array.from({ length: n }, (_, i) => ({ id: `${type}-${i}`, type, key: `k${i % 3}`, data: { i } })),
        );
      const deliveries = (where: string, n: number): Promise<unknown> =>
        until(`${n} deliveries ${where}`, async () => {
          return (await count(`SELECT FROM deliveries WHERE ${where}`)) === n;
        });
      // Until every part knows of everybody: a batch that comes back whole.
      await until('the worker to know the subscriptions', async () => {
        await api.publish({ type: 'order.probe', data: {} });
        return (await count(`SELECT FROM deliveries WHERE state = 'delivered' AND type = 'order.probe'`)) > 3;
      });
      await publish('order.created', 20);
      await publish('order.failed', 5);
      await publish('nobody.cares', 3);
      // Said twice: the second one is a repeat.
      await publish('order.created', 4);
      await publish('order.gone', 1);
      await deliveries(`state = 'delivered' AND type = 'order.created'`, 40);
      await deliveries(`state = 'retrying' AND attempts = 2 AND subscription_id = '${failing}'`, 5);
      await until('the one that is gone to be disabled', async () => {
        return (await count(`SELECT FROM subscriptions WHERE disabled_reason = 'endpoint-gone'`)) === 1;
      });

      for (const id of [paused, resumed, deleted]) await api.admin('POST', `/v1/webhooks/subscriptions/${id}/pause`);
      await change(off, { status: 'disabled', description: 'off for good' });
      await until('the changes to be told', async () => (await count('SELECT FROM outbox')) === 0);
      await publish('order.paused', 2);
      await publish('order.resumed', 4);
      await publish('order.deleted', 2);
      await publish('order.off', 1);
      await api.admin('POST', `/v1/webhooks/subscriptions/${resumed}/resume`, { catchUp: true });
      await deliveries(`state = 'delivered' AND subscription_id = '${resumed}'`, 4);
      await api.admin('DELETE', `/v1/webhooks/subscriptions/${deleted}`);
      const replay = (await api.admin('POST', '/v1/replays', {
        topic: TOPICS.events,
        from: { timestamp: new Date(0).toISOString() },
        subscriptionIds: [all],
        types: ['order.created'],
      })) as { id: string };
      await until('the replay to be through', async () => {
        const deliveredAgain = `SELECT FROM replay_deliveries WHERE replay_id = '${replay.id}' AND state = 'delivered'`;
        return (await count(deliveredAgain)) >= 20;
      });
      await until('the dead letters to be read', async () => (await count('SELECT FROM dead_letter_records')) > 0);
      await until('the catch-up to end', async () => {
        return (await count(`SELECT FROM held_spans WHERE ended_as = 'caught-up'`)) > 0;
      });

      await api.admin('DELETE', '/v1/events/nobody.cares-0/payload');
      await settledRows();
      const answers = await ask(api);
      // Words of people, which no topic has.
      await api.admin('POST', '/v1/dead-letters/discard', { reasons: ['endpoint-gone'], note: 'not any more' });

      const before = await settledRows();
      const received = [well, broken, gone].map(({ requests }) => requests.length);
      await hookline.stop('admin-api', 'recorder');
      await database.drop();
      expect(await rebuildDatabase(true, env, () => undefined, silentLogger)).toBe(0);
      await hookline.start('admin-api', 'recorder');
      const after = await settledRows();
      const found = differences(before, after, IDENTITIES, new Set(Object.keys(NOT_IN_THE_TOPICS)));
      expect(Object.fromEntries(found)).toEqual({});
      for (const [id, at] of enabledAt(before)) expect(enabledAt(after).get(id)).toBeGreaterThanOrEqual(at);
      expect(enabledAt(before).size).toBeGreaterThan(0);
      expect(await ask(hookline.api(key))).toEqual(answers);
      // Nobody has got anything twice by it.
      expect([well, broken, gone].map(({ requests }) => requests.length)).toEqual(received);
    },
    TEST_MS,
  );
});

/** Events of which it is not known whom they were for, and deliveries that go on by themselves soon. */
function unsettled(rows: Tables): unknown[] {
  const [deliveries = [], routes = []] = [rows.get('deliveries'), rows.get('event_routes')];
  const matched = new Set([
    ...deliveries.map((row) => `${row['event_partition']}/${row['event_offset']}`),
    ...routes.map((row) => `${row['partition']}/${row['offset']}`),
  ]);
  const isSoon = ({ next_attempt_at: at }: Readonly<Record<string, unknown>>): boolean =>
    at === null || Date.parse(String(at)) < Date.now() + SOON_MS;
  return [
    ...(rows.get('events') ?? []).filter((row) => !matched.has(`${row['partition']}/${row['offset']}`)),
    ...deliveries.filter((row) => row['state'] === 'pending' || (row['state'] === 'retrying' && isSoon(row))),
  ];
}

/** When those were enabled, ms since the epoch, that had not been: failures of before are forgiven. */
function enabledAt(rows: Tables): Map<unknown, number> {
  const enabled = (rows.get('subscriptions') ?? []).filter((row) => row['enabled_at'] !== null);
  return new Map(enabled.map((row) => [row['id'], Date.parse(String(row['enabled_at']))]));
}
