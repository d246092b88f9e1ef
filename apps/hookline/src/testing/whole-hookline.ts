import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaSection, loadConfig } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, RangeReader, TopicOffsets, type ReadRecord } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { createTestDatabase, DatabaseProxy, waitUntil, type HooklineApi, type TestDatabase } from '@hookline/testing';
import type { Kafka } from 'kafkajs';
import { onceLed } from '../commands/once-led.js';
import { setup } from '../commands/setup.js';
import { RolesInProcess } from './roles-in-process.js';

const PATIENCE_MS = 90_000;

/** Every role in this process, over a broker of its own. The recorder and admin-api lose the database apart from each other. */
export class WholeHookline {
  private constructor(
    /** A tenant's. */
    readonly api: HooklineApi,
    private readonly kafka: Kafka,
    readonly databases: { readonly recorder: DatabaseProxy; readonly admin: DatabaseProxy },
    private readonly closers: readonly (() => unknown)[],
  ) {}

  static async start(settings: Record<string, string>): Promise<WholeHookline> {
    const closers: (() => unknown)[] = [];
    const dataDir = mkdtempSync(join(tmpdir(), 'hookline-whole-'));
    closers.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const cluster = await EmbeddedKafka.start({ dataDir, brokers: 1 });
    closers.push(() => cluster.stop('SIGKILL'));
    const database = await createTestDatabase();
    closers.push(() => database.drop());
    const env = {
      KAFKA_BROKERS: cluster.brokers.join(),
      DATABASE_URL: database.url,
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_PUBLISH_DEADLINE: '60s',
      ...settings,
    };
    await setup(env, silentLogger);
    const databases = { recorder: await proxyTo(database), admin: await proxyTo(database) };
    closers.push(() => Promise.all([databases.recorder.close(), databases.admin.close()]));

    const roles = new RolesInProcess(env, { recorder: databases.recorder.url, 'admin-api': databases.admin.url });
    closers.push(() => roles.stop());
    await roles.start('admin-api');
    await roles.start('ingest', 'recorder', 'delivery');
    const operator = roles.api();
    const { id } = await operator.createTenant('a tenant of a test');
    const { key } = await operator.createKey(id, 'a key of a test');
    const api = operator.as(key);
    const publishes = (): Promise<unknown> => api.publish({ type: 'key.known', data: {} });
    await waitUntil(publishes, { deadlineMs: PATIENCE_MS, what: 'ingest to know the key' });
    const config = loadConfig({ kafka: kafkaSection }, env);
    const kafka = createKafka(config.kafka, { role: 'test', logger: silentLogger });
    return new WholeHookline(api, kafka, databases, closers);
  }

  /** @returns its id, once its version stands in the log: what is published from now on is for it */
  async subscribe(subscription: Parameters<HooklineApi['subscribe']>[0]): Promise<string> {
    const { id } = await this.api.subscribe(subscription);
    const isThere = async (): Promise<boolean> =>
      (await this.read(TOPICS.subscriptions)).some(({ key }) => String(key) === id);
    await waitUntil(isThere, { deadlineMs: PATIENCE_MS, what: 'the subscription in its topic' });
    return id;
  }

  /** Everything that a topic has at the moment. */
  async read(topic: string): Promise<ReadRecord[]> {
    const bounds = await onceLed(this.kafka, (admin) => new TopicOffsets(admin).bounds(topic));
    const ranges = bounds.map(({ partition, low, high }) => ({ partition, from: low, to: high }));
    const all: ReadRecord[] = [];
    for await (const { records } of new RangeReader(this.kafka).read(topic, ranges)) all.push(...records);
    return all;
  }

  async stop(): Promise<void> {
    for (const close of this.closers.toReversed()) await close();
  }
}

const proxyTo = ({ url }: TestDatabase): Promise<DatabaseProxy> => DatabaseProxy.open(url);
