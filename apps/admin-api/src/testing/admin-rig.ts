import { httpSection, loadConfig, loggingSection } from '@hookline/config';
import { createDataSource, migrate } from '@hookline/persistence';
import { silentLogger, startRole, type RunningRole } from '@hookline/platform';
import { createTestDatabase, testCopies, testKafkaBrokers, type TestDatabase } from '@hookline/testing';
import { adminApiRole } from '../admin-api.role.js';
import { sections, type Settings } from '../settings.js';
import { ApiClient } from './api-client.js';
import { makeTopics } from './topics.js';

export const OPERATOR_TOKEN = 'the-operator-token-of-a-test-0123456789';
const SEALING_KEY = `test:${Buffer.alloc(32, 7).toString('base64')}`;

export function adminSettings(databaseUrl: string, env: Record<string, string> = {}): Settings {
  return loadConfig(
    { http: httpSection, logging: loggingSection, ...sections },
    {
      KAFKA_BROKERS: testKafkaBrokers().join(','),
      DATABASE_URL: databaseUrl,
      HOOKLINE_HTTP_HOST: '127.0.0.1',
      HOOKLINE_HTTP_PORT: '0',
      HOOKLINE_SEALING_KEYS: SEALING_KEY,
      HOOKLINE_OPERATOR_TOKEN: OPERATOR_TOKEN,
      ...testCopies(),
      HOOKLINE_LOG_LEVEL: 'silent',
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_OUTBOX_POLL: '200ms',
      HOOKLINE_TOPIC_WATCH: '200ms',
      HOOKLINE_REPLAY_POLL: '200ms',
      HOOKLINE_REPLAY_DECISION_WAIT: '100ms',
      // Where the machine stands still for ten seconds, a test is not to be told to come again.
      HOOKLINE_ADMIN_TIMEOUT: '60s',
      DATABASE_CONNECT_TIMEOUT: '30s',
      ...env,
    },
  );
}

/** A whole admin-api in this process, with a database of its own and the topics of the test's Kafka. */
export class AdminRig {
  private constructor(
    readonly role: RunningRole,
    readonly database: TestDatabase,
    readonly operator: ApiClient,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<AdminRig> {
    const [database] = await Promise.all([migratedDatabase(), makeTopics()]);
    const role = await startAdmin(env['DATABASE_URL'] ?? database.url, env);
    return new AdminRig(role, database, new ApiClient(role.url, OPERATOR_TOKEN));
  }

  /** A new tenant, and a client with a key of it. */
  async tenant(): Promise<{ id: string; client: ApiClient; keyId: string; key: string }> {
    const tenant = await this.operator.post('/v1/tenants', { name: 'a tenant of a test' });
    const id = String(tenant.body['id']);
    const made = await this.operator.post(`/v1/tenants/${id}/keys`, { name: 'a key of a test' });
    const key = String(made.body['key']);
    return { id, client: new ApiClient(this.role.url, key), keyId: String(made.body['id']), key };
  }

  async stop(): Promise<void> {
    await this.role.stop();
    await this.database.drop();
  }
}

export function startAdmin(databaseUrl: string, env: Record<string, string> = {}): Promise<RunningRole> {
  return startRole(adminApiRole, adminSettings(databaseUrl, env), silentLogger);
}

export async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  const source = createDataSource(adminSettings(database.url).database);
  await source.initialize();
  await migrate(source);
  await source.destroy();
  return database;
}
