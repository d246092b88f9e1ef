import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { enqueueEvents, installOutbox } from '@hookline/outbox';
import { HooklineApi, startRole, waitUntil, WebhookReceiver, type RoleProcess } from '@hookline/testing';
import pg from 'pg';
import { HooklineUnderTest } from './support/hookline.js';
import { eventIdOf, HELLO, reconcile } from './support/reconcile.js';

const KEYS = 10;
const EVENTS = 600;

describe("a producer's outbox", () => {
  let hookline: HooklineUnderTest;
  let receiver: WebhookReceiver;
  let producer: pg.Pool;
  let databaseUrl: string;
  const relays: RoleProcess[] = [];

  beforeAll(async () => {
    hookline = await HooklineUnderTest.start({}, 1);
    receiver = await WebhookReceiver.start();
    const { postgres } = hookline.installation;
    if (!postgres) throw new Error('there is no PostgreSQL');
    databaseUrl = await postgres.ensureDatabase('shop');
    producer = new pg.Pool({ connectionString: databaseUrl });
    await installOutbox(producer);
  });
  afterEach(() => Promise.all(relays.map((relay) => relay.kill())));
  afterAll(async () => {
    await producer?.end();
    await receiver?.close();
    await hookline?.stop();
  });

  async function tenant(): Promise<{ id: string; api: HooklineApi }> {
    const { installation } = hookline;
    const [ingest, admin] = [installation.role('ingest').url, installation.role('admin-api').url];
    const operator = new HooklineApi(ingest, admin, installation.operatorToken);
    const { id } = await operator.createTenant('shop');
    const { key } = await operator.createKey(id, 'test');
    return { id, api: operator.as(key) };
  }

  async function relay(tenantId: string): Promise<RoleProcess> {
    const started = await startRole('relay', {
      KAFKA_BROKERS: hookline.installation.kafka?.brokers.join(),
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_RELAY_DATABASE_URL: databaseUrl,
      HOOKLINE_RELAY_TENANT: tenantId,
      HOOKLINE_RELAY_BATCH: '20',
    });
    relays.push(started);
    return started;
  }

  it('is delivered, each key in its order, with no ingest node there and a relay killed with rows in hand', async () => {
    const { id, api } = await tenant();
    await api.subscribe({ url: receiver.url, types: ['order.*', HELLO], ordering: 'key' });
    const [first] = await Promise.all([relay(id), relay(id)]);
    await waitUntil(
      async () => {
        await enqueueEvents(producer, [{ type: HELLO, data: null }]);
        return receiver.accepted.length > 0;
      },
      { deadlineMs: 90_000, what: 'the first delivery of a new subscription' },
    );
    await hookline.installation.role('ingest').kill();

    const published: string[] = [];
    for (let n = 0; n < EVENTS; n += 2) {
      const events = [n, n + 1].map((i) => ({ type: 'order.changed', key: `order-${i % KEYS}`, data: { n: i } }));
      published.push(...(await enqueueEvents(producer, events)));
      if (n === EVENTS / 3) await first?.kill('SIGKILL');
    }
    await waitUntil(() => reconcile(published, receiver).lost.length === 0, {
      deadlineMs: 120_000,
      what: 'every event of the outbox',
    });
    expect(reconcile(published, receiver).strange).toEqual([]);
    const order = new Map(published.map((event, n) => [event, n]));
    const arrived = [...new Set(receiver.accepted.map(eventIdOf))].flatMap((event) => order.get(event) ?? []);
    for (let key = 0; key < KEYS; key++) {
      const ofKey = arrived.filter((n) => n % KEYS === key);
      expect([key, ofKey]).toEqual([key, ofKey.toSorted((a, b) => a - b)]);
    }
  }, 400_000);
});
