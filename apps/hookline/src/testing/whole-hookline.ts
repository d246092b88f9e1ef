import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpSection, kafkaSection, loadConfig, loggingSection } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, RangeReader, TopicOffsets, type ReadRecord } from '@hookline/kafka';
import { silentLogger, startRole, type RoleDefinition, type Sections } from '@hookline/platform';
import { createTestDatabase, DatabaseProxy, HooklineApi, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Kafka } from 'kafkajs';
import { adminApiRole } from '../../../admin-api/src/admin-api.role.js';
import { deliveryRole } from '../../../delivery/src/delivery.role.js';
import { ingestRole } from '../../../ingest/src/ingest.role.js';
import { recorderRole } from '../../../recorder/src/recorder.role.js';
import { onceLed } from '../commands/once-led.js';
import { setup } from '../commands/setup.js';

const PATIENCE_MS = 60_000;
const OPERATOR_TOKEN = 'the-operator-token-of-a-test-0123456789';

/**
 * Every role as it is, in this process, over a broker of its own: what is changed in a library that they share is changed
 * for all of them. The recorder and admin-api lose the database apart from each other.
 */
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
      HOOKLINE_HTTP_HOST: '127.0.0.1',
      HOOKLINE_HTTP_PORT: '0',
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_SEALING_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      HOOKLINE_OPERATOR_TOKEN: OPERATOR_TOKEN,
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_LOG_LEVEL: 'silent',
      ...settings,
    };
    await setup(env, silentLogger);
    const databases = { recorder: await proxyTo(database), admin: await proxyTo(database) };
    closers.push(() => Promise.all([databases.recorder.close(), databases.admin.close()]));

    const start = async <M extends Sections>(role: RoleDefinition<M>, DATABASE_URL = database.url): Promise<string> => {
      const config = loadConfig(
        { http: httpSection, logging: loggingSection, ...role.sections },
        { ...env, DATABASE_URL },
      );
      const { url, started, stop } = await startRole(role, config as never, silentLogger);
      closers.push(stop);
      await started;
      return url;
    };
    const admin = await start(adminApiRole, databases.admin.url);
    const [ingest] = await Promise.all([
      start(ingestRole),
      start(recorderRole, databases.recorder.url),
      start(deliveryRole),
    ]);
    const operator = new HooklineApi(ingest, admin, OPERATOR_TOKEN);
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
