import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeEventHeaders, TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import type { RunningRole } from '@hookline/platform';
import {
  DatabaseProxy,
  startRole,
  testCopies,
  testKafkaBrokers,
  waitUntil,
  type RoleProcess,
  type TestDatabase,
} from '@hookline/testing';
import type { IHeaders, Producer } from 'kafkajs';
import { migratedDatabase, OPERATOR_TOKEN, startAdmin } from '../testing/admin-rig.js';
import { ApiClient } from '../testing/api-client.js';
import { makeTopics, testProducer } from '../testing/topics.js';
import { StreamClient, waitingPolls } from './testing/stream-client.js';

const KEYS = 7;
const PARTITIONS = 3;
const PATIENCE_MS = 180_000;
const TEST_MS = 1_200_000;

/** A client of the stream, a recorder as it is built, and what happens to both; other specs' events are in the log, too. */
describe('a client of the stream', () => {
  const tenant = newId('ten');
  const published = new Map<string, string[]>();
  const opened: { close(): Promise<unknown> }[] = [];
  let proxy: DatabaseProxy;
  let admin: RunningRole;
  let recorder: RoleProcess;
  let producer: Producer;
  let client: StreamClient;
  let count = 0;

  beforeEach(async () => {
    await makeTopics();
    producer = await testProducer();
    await begin(await migratedDatabase());
    client = new StreamClient(api(), `tenantId=${tenant}&limit=20&from=latest`);
  });
  afterEach(async () => {
    await recorder.kill();
    await admin.stop();
    await producer.disconnect();
    for (const one of opened.reverse()) await one.close();
  });

  async function begin(database: TestDatabase): Promise<void> {
    opened.push({ close: () => database.drop() });
    proxy = await DatabaseProxy.open(database.url);
    opened.push(proxy);
    admin = await startAdmin(proxy.url, { HOOKLINE_ADMIN_TIMEOUT: '2s' });
    recorder = await startRecorder();
  }

  const api = (): ApiClient => new ApiClient(admin.url, OPERATOR_TOKEN);
  const startRecorder = (): Promise<RoleProcess> =>
    startRole('recorder', {
      KAFKA_BROKERS: testKafkaBrokers().join(','),
      DATABASE_URL: proxy.url,
      ...testCopies(),
      // Small transactions for what comes here; a new database has all that other specs have written to read first.
      HOOKLINE_RECORDER_LINGER: '1ms',
      HOOKLINE_RECORDER_FETCH_WAIT: '50ms',
      // A killed member keeps its partitions for this long; the broker allows no less.
      HOOKLINE_SESSION_TIMEOUT: '6s',
    });

  /** Appends events, ten at a time, each key to its partition. */
  async function publish(events: number): Promise<void> {
    for (const end = count + events; count < end;) {
      const messages = Array.from({ length: Math.min(10, end - count) }, () => nextEvent());
      await producer.send({ topic: TOPICS.events, messages });
    }
  }

  function nextEvent(): { partition: number; value: string; headers: IHeaders } {
    const key = `k${count % KEYS}`;
    const id = `evt-${count}`;
    published.set(key, [...(published.get(key) ?? []), id]);
    const partition = (count % KEYS) % PARTITIONS;
    const headers = encodeEventHeaders({ tenant, id, type: 'order.created', time: '2026-11-22T10:00:00Z', key });
    return { partition, value: JSON.stringify({ count: count++ }), headers };
  }

  /** Polls, whatever the answers are, until everything that was published has come. */
  const caughtUp = (): Promise<unknown> =>
    waitUntil(
      async () => {
        await client.poll('&wait=1');
        return new Set(client.ids).size === count;
      },
      {
        deadlineMs: PATIENCE_MS,
        what: 'everything that was published',
        seen: () => `${new Set(client.ids).size} of ${count}; the last answer: ${client.refused.at(-1) ?? 200}`,
      },
    );

  it(
    'that polls through restarts of everything, an outage and a database made anew loses no event, in log order for each key',
    async () => {
      await client.poll();
      client = Object.assign(new StreamClient(api(), `tenantId=${tenant}&limit=20`), { cursor: client.cursor });
      await publish(60);
      await caughtUp();

      // The recorder is killed with rows under way.
      await Promise.all([publish(60), recorder.kill('SIGKILL')]);
      await publish(20);
      await client.poll();
      recorder = await startRecorder();
      await caughtUp();

      // admin-api is replaced while the client waits.
      const waiting = client.poll('&wait=30');
      await waitUntil(async () => (await waitingPolls(admin.url)) === 1, {
        deadlineMs: 60_000,
        what: 'the client to wait',
      });
      await admin.stop();
      expect((await waiting).status).toBe(200);
      await publish(40);
      admin = await startAdmin(proxy.url, { HOOKLINE_ADMIN_TIMEOUT: '2s' });
      client.api = api();
      await caughtUp();

      // PostgreSQL is away.
      proxy.refuse();
      await publish(40);
      const refused = await client.poll('&wait=5');
      expect(refused).toMatchObject({ status: 503, body: { type: expect.stringMatching(/database-unavailable$/) } });
      expect(refused.headers.get('retry-after')).toBe('5');
      proxy.restore();
      await caughtUp();

      // Everything is stopped, and history is rebuilt from the log in another database.
      await recorder.kill();
      await admin.stop();
      await begin(await migratedDatabase());
      client.api = api();
      await publish(40);
      await caughtUp();

      expect(client.byKey()).toEqual(published);
      expect(new Set(client.refused)).toEqual(new Set([503]));
    },
    TEST_MS,
  );
});
