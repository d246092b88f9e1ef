import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databaseSection, kafkaSection, loadConfig } from '@hookline/config';
import {
  encodeCompacted,
  encodeProgress,
  expungedKey,
  GENESIS_KEY,
  TOPICS,
  type CredentialRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { makeApiKey, newId } from '@hookline/domain';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, TopicsUnusable, WrongCluster } from '@hookline/kafka';
import { ensureDatabase, rememberCluster, rememberedCluster } from '@hookline/persistence';
import { Refusal, silentLogger } from '@hookline/platform';
import { createTestDatabase, createTopics, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { growEvents } from './grow-events.js';
import { rebuildDatabase } from './rebuild-database.js';
import { setup } from './setup.js';
import { withDatabase } from './testing/tables.js';

const HOLDS_FROM = { 0: 5, 1: 6, 2: 7 };

describe('operations on a Hookline that is there', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-operations-'));
  let cluster: EmbeddedKafka;
  let kafka: Kafka;
  let admin: Admin;
  let producer: Producer;
  const databases: TestDatabase[] = [];

  beforeAll(async () => {
    cluster = await EmbeddedKafka.start({ dataDir, brokers: 1 });
    const { kafka: settings } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: cluster.brokers.join() });
    kafka = createKafka(settings, { role: 'test', logger: silentLogger });
    admin = kafka.admin();
    producer = kafka.producer({ idempotent: true });
    await Promise.all([admin.connect(), producer.connect()]);
  }, 180_000);

  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await cluster.stop('SIGKILL');
    for (const database of databases) await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function environment(): Promise<NodeJS.ProcessEnv & { DATABASE_URL: string }> {
    const database = await createTestDatabase();
    databases.push(database);
    return {
      KAFKA_BROKERS: cluster.brokers.join(),
      DATABASE_URL: database.url,
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_EVENT_PARTITIONS: '3',
      HOOKLINE_LANE_PARTITIONS: '3',
      HOOKLINE_ATTEMPT_PARTITIONS: '3',
      HOOKLINE_LOG_LEVEL: 'silent',
    };
  }

  const partitionsOf = async (topic: string): Promise<number> =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length ?? 0;

  const compacted = (topic: string, key: string, value: Buffer): Promise<unknown> =>
    producer.send({ topic, acks: -1, messages: [{ partition: 0, key, value }] });

  /** By a client of its own, for kafkajs asks about each topic that it has ever asked about, also where that is gone. */
  async function withKafka<T>(use: (admin: Admin, producer: Producer) => Promise<T>): Promise<T> {
    const [own, writer] = [kafka.admin(), kafka.producer({ idempotent: true })];
    await Promise.all([own.connect(), writer.connect()]);
    try {
      return await use(own, writer);
    } finally {
      await Promise.all([own.disconnect(), writer.disconnect()]);
    }
  }

  /** The database's tables, and Kafka's topics with where they end: what would tell that something was written. */
  async function everything(url: string): Promise<unknown> {
    const tables = await withDatabase(url, (source) =>
      source.query(`SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`),
    );
    return withKafka(async (own) => {
      const topics = (await own.listTopics()).filter((name) => name.startsWith('hookline.')).sort();
      const ends = await Promise.all(topics.map((topic) => own.fetchTopicOffsets(topic)));
      return { topics, ends: ends.map((of) => of.toSorted((x, y) => x.partition - y.partition)), tables };
    });
  }

  it("refuses a Kafka whose topics have somebody else's records, says so, and writes nothing", async () => {
    const env = await environment();
    const foreign = [TOPICS.events, TOPICS.subscriptions];
    await withKafka(async (own, writer) => {
      await createTopics(
        own,
        foreign.map((topic) => ({ topic, numPartitions: 1 })),
      );
      for (const topic of foreign)
        await writer.send({ topic, acks: -1, messages: [{ key: 'a', value: 'no JSON' }, { value: '{"v":9}' }] });
    });
    for (const topic of foreign) {
      const before = await everything(env.DATABASE_URL);
      await expect(setup(env, silentLogger)).rejects.toThrow(
        `${topic} has records, and those that were looked at (2) are not Hookline's, or are a newer release's. Nothing was written. Look at KAFKA_BROKERS`,
      );
      expect(await everything(env.DATABASE_URL)).toEqual(before);
      await withKafka(async (own) => {
        await own.deleteTopics({ topics: [topic] });
        await waitUntil(async () => !(await own.listTopics()).includes(topic), {
          deadlineMs: 60_000,
          what: `${topic} to be gone`,
        });
      });
    }
  });

  it('refuses a database of a newer release, says so, and writes nothing, neither there nor in Kafka', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    await withDatabase(env.DATABASE_URL, (database) =>
      database.query(`INSERT INTO hookline_migrations (timestamp, name) VALUES (9999999999999, 'FromTomorrow')`),
    );
    const before = await everything(env.DATABASE_URL);
    const newer = /newer than this release.* FromTomorrow\. Nothing was written\. Start the release/;
    await expect(setup(env, silentLogger)).rejects.toThrow(newer);
    const { database } = loadConfig({ database: databaseSection }, env);
    // What recorder and admin-api ask before they begin.
    await expect(rememberedCluster(database)).rejects.toThrow(newer);
    expect(await everything(env.DATABASE_URL)).toEqual(before);
  });

  it('grows the events only after a yes, says first what it costs, and never takes partitions away', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    expect(await growEvents(5, false, env, say)).toBe(1);
    expect(await partitionsOf(TOPICS.events)).toBe(3);
    expect(said.join('')).toMatch(/from 3 to 5 partitions[^]*Order\.[^]*Deduplication\.[^]*Nothing was changed/);
    expect(await growEvents(5, true, env, say)).toBe(0);
    expect(await partitionsOf(TOPICS.events)).toBe(5);
    await expect(growEvents(4, true, env, say)).rejects.toThrow(/more, never less/);
    // What was made with other counts goes on with them.
    await setup(env, silentLogger);
    expect(await partitionsOf(TOPICS.events)).toBe(5);
  });

  it('refuses two clusters by mistake: a database, or topics, of another one, and writes nothing', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    await withDatabase(env.DATABASE_URL, (database) => rememberCluster(database, 'another-cluster'));
    const before = await everything(env.DATABASE_URL);
    await expect(setup(env, silentLogger)).rejects.toThrow(WrongCluster);
    await expect(setup(env, silentLogger)).rejects.toThrow(/the database says another-cluster/);
    await expect(setup({ ...env, HOOKLINE_KAFKA_CLUSTER_ID: 'yet-another' }, silentLogger)).rejects.toThrow(
      /HOOKLINE_KAFKA_CLUSTER_ID says yet-another/,
    );
    expect(await everything(env.DATABASE_URL)).toEqual(before);
    const { clusterId } = await admin.describeCluster();
    // Whoever names the one that is there has decided; it is remembered from now on.
    await setup({ ...env, HOOKLINE_KAFKA_CLUSTER_ID: clusterId }, silentLogger);
    await setup(env, silentLogger);
  });

  it('rebuilds a dropped database from the topics: keys, subscriptions with their secrets, and what these have not got', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    const key = makeApiKey();
    const [tenant, plain, paused, ordered] = [newId('ten'), newId('sub'), newId('sub'), newId('sub')] as const;
    const at = new Date().toISOString();
    for (const topic of [TOPICS.credentials, TOPICS.subscriptions])
      await compacted(topic, GENESIS_KEY, encodeCompacted({ v: 1, genesis: true, at }));
    const credential = (version: number, status: CredentialRecord['status']): Buffer =>
      encodeCompacted({ v: 1, id: key.id, tenant, hash: key.hash, version, status });
    await compacted(TOPICS.credentials, key.id, credential(2, 'revoked'));
    // Old after new, as an outbox can do it: the highest version counts.
    await compacted(TOPICS.credentials, key.id, credential(1, 'active'));
    const subscription = (record: Partial<SubscriptionRecord> & { id: string }): Promise<unknown> =>
      compacted(
        TOPICS.subscriptions,
        record.id,
        encodeCompacted({
          v: 1,
          version: 1,
          tenant,
          url: 'https://example.com/hook',
          types: ['order.*'],
          status: 'enabled',
          sealed: 'v1.k.secret',
          holdsFrom: HOLDS_FROM,
          ...record,
        }),
      );
    await subscription({ id: plain, version: 4, maxInFlight: 3, rateLimit: { perSecond: 2, burst: 5 } });
    const before = [
      { version: 2, live: false, types: ['*'], holdsFrom: { 0: 2, 1: 2, 2: 2 } },
      { version: 1, live: true, types: ['*'], holdsFrom: { 0: 0, 1: 0, 2: 0 } },
    ];
    await subscription({ id: paused, version: 3, status: 'paused', before });
    await subscription({ id: ordered, version: 7, ordering: 'key', epoch: 2, catchingUp: 'rpl_gone' });
    const expunged = { partition: 2, offset: 41, at: Date.UTC(2026, 0, 1), expungedAt: Date.UTC(2026, 0, 2) };
    await compacted(TOPICS.progress, expungedKey(expunged), encodeProgress({ v: 1, ...expunged }));
    const lost = databases.pop() as TestDatabase;
    await lost.drop();

    const said: string[] = [];
    const rebuild = (yes: boolean): Promise<number> =>
      rebuildDatabase(yes, env, (text) => void said.push(text), silentLogger);
    expect(await rebuild(false)).toBe(1);
    expect(await rebuild(true)).toBe(0);
    databases.push(lost);
    expect(said.join('')).toContain('1 events stay expunged');
    expect(said.join('')).toMatch(/Their catch-ups are gone[^]*sub_/);

    await withDatabase(env.DATABASE_URL, async (database) => {
      const rows = <T>(sql: string): Promise<T[]> => database.query<T[]>(sql);
      expect(await rows('SELECT id FROM tenants')).toEqual([{ id: tenant }]);
      expect(await rows('SELECT id, tenant_id, hash, status, version, hint FROM api_keys')).toEqual([
        { id: key.id, tenant_id: tenant, hash: key.hash, status: 'revoked', version: 2, hint: key.key.slice(0, 11) },
      ]);
      const found = await rows<{ id: string }>(
        'SELECT id, status, version, sealed, types, rate_limit, max_in_flight, ordering, epoch, catching_up FROM subscriptions',
      );
      const byId = new Map(found.map((row) => [row.id, row]));
      const common = { sealed: 'v1.k.secret', types: ['order.*'], catching_up: null };
      expect(byId.get(plain)).toMatchObject({ ...common, version: 4, max_in_flight: 3, rate_limit: { perSecond: 2 } });
      expect(byId.get(paused)).toMatchObject({ ...common, version: 3, status: 'paused', ordering: 'none' });
      expect(byId.get(ordered)).toMatchObject({ ...common, version: 8, ordering: 'key', epoch: 2 });
      expect(await rows('SELECT subscription_id, version, reason, from_offsets, to_offsets FROM held_spans')).toEqual([
        { subscription_id: paused, version: 2, reason: 'paused', from_offsets: before[0]?.holdsFrom, to_offsets: null },
      ]);
      const noted = 'SELECT partition, "offset"::int, appended_at AS at, expunged_at AS since FROM expunged_events';
      expect(await rows(noted)).toEqual([
        { partition: 2, offset: 41, at: new Date(expunged.at), since: new Date(expunged.expungedAt) },
      ]);
      // The catch-up's end is news to the workers.
      expect(await rows('SELECT key, version FROM outbox')).toEqual([{ key: ordered, version: 8 }]);
    });
    await expect(rebuild(true)).rejects.toThrow(Refusal);
    await expect(rebuild(true)).rejects.toThrow(/has tenants already/);
  });

  it('refuses to rebuild a database into which a recorder writes, says so, and writes nothing', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    const expunged = { partition: 1, offset: 7, at: Date.UTC(2026, 0, 1), expungedAt: Date.UTC(2026, 0, 2) };
    await compacted(TOPICS.progress, expungedKey(expunged), encodeProgress({ v: 1, ...expunged }));
    await withDatabase(env.DATABASE_URL, (database) =>
      database.query('INSERT INTO recorder_offsets (topic, partition, next_offset) VALUES ($1, 1, 41)', [
        TOPICS.events,
      ]),
    );
    const before = await everything(env.DATABASE_URL);
    await expect(rebuildDatabase(true, env, () => undefined, silentLogger)).rejects.toThrow(
      /partition 1 of hookline\.events up to 41.*Nothing was written\. Stop the recorders and admin-api/,
    );
    expect(await everything(env.DATABASE_URL)).toEqual(before);
    await withDatabase(env.DATABASE_URL, async (database) => {
      for (const table of ['tenants', 'api_keys', 'subscriptions', 'held_spans', 'expunged_events', 'outbox'])
        expect(await database.query(`SELECT FROM ${table}`)).toEqual([]);
    });
  });

  it('makes a database that is missing', async () => {
    const { DATABASE_URL } = await environment();
    await (databases.at(-1) as TestDatabase).drop();
    const { database } = loadConfig({ database: databaseSection }, { DATABASE_URL });
    await ensureDatabase(database);
    await ensureDatabase(database);
    await withDatabase(DATABASE_URL, async (source) => expect(await source.query('SELECT 1 AS one')).toHaveLength(1));
  });

  it('refuses events that are compacted, whoever accepts it, and a retention that is too short until it is accepted', async () => {
    const env = await environment();
    await setup(env, silentLogger);
    const change = (topic: string, name: string, value: string): Promise<unknown> =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: 2, name: topic, configEntries: [{ name, value }] }],
      });
    await change(TOPICS.deliveries, 'retention.ms', '3600000');
    await expect(setup(env, silentLogger)).rejects.toThrow(TopicsUnusable);
    await expect(setup(env, silentLogger)).rejects.toThrow(
      /HOOKLINE_ACCEPT_TOPIC_RISKS=.*hookline\.deliveries\/retention\.ms/,
    );
    const fresh = await environment();
    const before = await everything(fresh.DATABASE_URL);
    await expect(setup(fresh, silentLogger)).rejects.toThrow(TopicsUnusable);
    expect(await everything(fresh.DATABASE_URL)).toEqual(before);
    const accepting = {
      ...env,
      HOOKLINE_ACCEPT_TOPIC_RISKS: 'retention.ms,message.timestamp.type,min.insync.replicas,cleanup.policy',
    };
    await setup(accepting, silentLogger);
    await change(TOPICS.deliveries, 'cleanup.policy', 'compact');
    await expect(setup(accepting, silentLogger)).rejects.toThrow(/hookline\.deliveries: cleanup\.policy is compact/);
  });
});
