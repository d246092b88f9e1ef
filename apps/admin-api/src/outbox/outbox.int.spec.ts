import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GENESIS_KEY, TOPICS, type CredentialRecord, type SubscriptionRecord } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import type { Output } from '@hookline/kafka';
import { enqueue, type Session } from '@hookline/persistence';
import type { RunningRole } from '@hookline/platform';
import { createTopics, uniqueName, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Admin, Producer } from 'kafkajs';
import { AdminRig, OPERATOR_TOKEN, startAdmin } from '../testing/admin-rig.js';
import { ApiClient } from '../testing/api-client.js';
import { makeTopics, readFrom, testKafka, testProducer } from '../testing/topics.js';
import { PublisherRig } from './testing/publisher-rig.js';

let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  await makeTopics();
  admin = testKafka().admin();
  producer = await testProducer();
  await admin.connect();
});

afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

/** The values of a key, in the order of the log. */
async function valuesOf<T>(topic: string, key: string): Promise<T[]> {
  const records = await readFrom(topic, new Map());
  return records.filter((record) => String(record.key) === key).map(({ value }) => JSON.parse(String(value)) as T);
}

async function lastVersions(topic: string, key: string): Promise<number[]> {
  return (await valuesOf<{ version: number }>(topic, key)).map(({ version }) => version);
}

describe('a compacted topic', () => {
  const roles: RunningRole[] = [];
  const databases: TestDatabase[] = [];

  afterEach(async () => {
    for (const role of roles.splice(0)) await role.stop();
    for (const database of databases.splice(0)) await database.drop();
  });

  async function rigged(): Promise<AdminRig> {
    const rig = await AdminRig.start();
    roles.push(rig.role);
    databases.push(rig.database);
    return rig;
  }

  async function revokedKey(rig: AdminRig): Promise<{ id: string; active: CredentialRecord }> {
    const { id: tenantId, keyId } = await rig.tenant();
    await rig.operator.delete(`/v1/tenants/${tenantId}/keys/${keyId}`);
    const [active] = await waitUntil(
      async () => {
        const values = await valuesOf<CredentialRecord>(TOPICS.credentials, keyId);
        return values.some(({ version }) => version === 2) && values;
      },
      { deadlineMs: 90_000, what: 'both versions of the key' },
    );
    return { id: keyId, active: active as CredentialRecord };
  }

  async function writeOld(record: CredentialRecord): Promise<void> {
    const messages = [{ partition: 0, key: record.id, value: JSON.stringify(record) }];
    await producer.send({ topic: TOPICS.credentials, acks: -1, messages });
  }

  it('that says an old version after the new one is mended: a revoked key stays revoked', async () => {
    const { id, active } = await revokedKey(await rigged());
    await writeOld(active);
    await waitUntil(async () => (await lastVersions(TOPICS.credentials, id)).at(-1) === 2, {
      deadlineMs: 90_000,
      what: 'the revoked key to be written again',
    });
    // What is written twice in a row is the same, once more.
    const versions = await lastVersions(TOPICS.credentials, id);
    expect(versions.filter((version, at) => version !== versions[at - 1])).toEqual([1, 2, 1, 2]);
  });

  it('that was put back while nobody wrote is mended by the next writer', async () => {
    const rig = await rigged();
    const { id, active } = await revokedKey(rig);
    await rig.role.stop();
    await writeOld(active);
    roles.push(await startAdmin(rig.database.url));
    await waitUntil(async () => (await lastVersions(TOPICS.credentials, id)).at(-1) === 2, {
      deadlineMs: 90_000,
      what: 'the revoked key to be written again',
    });
  });

  it('has one writer of two processes, and the other takes over', async () => {
    const rig = await rigged();
    const second = await startAdmin(rig.database.url);
    roles.push(second);
    const { id: tenantId } = await rig.tenant();
    const other = new ApiClient(second.url, OPERATOR_TOKEN);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? other : rig.operator).post(`/v1/tenants/${tenantId}/keys`, { name: `key ${i}` }),
      ),
    );
    const keys = made.map(({ body }) => String(body['id'])).sort();
    const written = async (): Promise<string[]> =>
      (await readFrom(TOPICS.credentials, new Map())).map(({ key }) => String(key)).filter((key) => keys.includes(key));
    await waitUntil(async () => new Set(await written()).size === keys.length, {
      deadlineMs: 90_000,
      what: 'all keys to be published',
    });
    expect((await written()).sort()).toEqual(keys);
    await rig.role.stop();
    const last = await other.post(`/v1/tenants/${tenantId}/keys`, { name: 'the last' });
    await waitUntil(async () => (await lastVersions(TOPICS.credentials, String(last.body['id']))).length > 0, {
      deadlineMs: 90_000,
      what: 'the second process to publish',
    });
  });
});

describe('OutboxPublisher', () => {
  let rig: PublisherRig;

  beforeAll(async () => {
    rig = await PublisherRig.open();
  });
  afterEach(() => rig.stopPublishers());
  afterAll(() => rig.close());

  it('that dies between the acknowledgement and the deletion repeats the same bytes, and loses nothing', async () => {
    const ids = Array.from({ length: 25 }, () => newId('sub'));
    for (const id of ids)
      await rig.database.transaction((manager) =>
        enqueue(manager, TOPICS.subscriptions, {
          v: 1,
          version: 1,
          id,
          tenant: newId('ten'),
          url: 'https://example.com/',
          types: ['*'],
          status: 'enabled',
          sealed: 'v1.test.AAAA',
        }),
      );
    const sessions: Session[] = [];
    let deaths = 0;
    const deadly: Output = {
      produce: async (record) => {
        const appended = await rig.pump.produce(record);
        if (String(record.key) === ids[15] && deaths === 0) {
          deaths += 1;
          await sessions.at(-1)?.close();
        }
        return appended;
      },
    };
    const open = async (): Promise<Session> => {
      const session = await rig.openSession();
      sessions.push(session);
      return session;
    };
    rig.start({ topics: [], output: deadly, open });
    await waitUntil(async () => (await rig.left()) === 0, { deadlineMs: 90_000, what: 'the outbox to be empty' });
    expect(deaths).toBe(1);
    const times: number[] = [];
    for (const id of ids) {
      const values = await valuesOf<SubscriptionRecord>(TOPICS.subscriptions, id);
      times.push(values.length);
      for (const value of values) expect(value).toEqual(values[0]);
      expect(Object.keys(values[0]?.holdsFrom ?? {})).not.toEqual([]);
    }
    // The first batch was deleted; the second was written twice; the third came after.
    expect(times).toEqual([...Array(10).fill(1), ...Array(10).fill(2), ...Array(5).fill(1)]);
  });

  it('begins an empty topic with all rows and then its genesis record, once, and adds what is missing later', async () => {
    const topic = uniqueName('compacted');
    await createTopics(admin, [{ topic, numPartitions: 1 }]);
    const tenantId = newId('ten');
    await rig.database.query('INSERT INTO tenants (id, name) VALUES ($1, $2)', [tenantId, 'a']);
    const keyId = newId('key');
    await rig.database.query(
      `INSERT INTO api_keys (id, tenant_id, hash, hint, name, status, version) VALUES ($1, $2, 'h', 'hk', 'a', 'active', 4)`,
      [keyId, tenantId],
    );
    const first = rig.start({ topics: [topic] });
    const keysOf = async (): Promise<string[]> => (await readFrom(topic, new Map())).map(({ key }) => String(key));
    await waitUntil(async () => (await keysOf()).includes(GENESIS_KEY), {
      deadlineMs: 90_000,
      what: 'genesis and the key',
    });
    await first.stop();
    const second = rig.start({ topics: [topic] });
    const nextKey = newId('key');
    await rig.database.query(
      `INSERT INTO api_keys (id, tenant_id, hash, hint, name, status, version) VALUES ($1, $2, 'h', 'hk', 'a', 'active', 1)`,
      [nextKey, tenantId],
    );
    await second.stop();
    rig.start({ topics: [topic] });
    await waitUntil(async () => (await keysOf()).includes(nextKey), { deadlineMs: 90_000, what: 'the next key' });
    expect(await keysOf()).toEqual([keyId, GENESIS_KEY, nextKey]);
  });
});
