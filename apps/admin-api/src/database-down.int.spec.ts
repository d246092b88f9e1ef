import { afterEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import type { RunningRole } from '@hookline/platform';
import { DatabaseProxy, waitUntil, type TestDatabase } from '@hookline/testing';
import { migratedDatabase, OPERATOR_TOKEN, startAdmin } from './testing/admin-rig.js';
import { ApiClient } from './testing/api-client.js';
import { makeTopics, readFrom } from './testing/topics.js';

describe('without PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let role: RunningRole;
  let operator: ApiClient;

  afterEach(async () => {
    await role.stop();
    await proxy.close();
    await database.drop();
  });

  async function start(state: 'open' | 'refusing'): Promise<void> {
    [database] = await Promise.all([migratedDatabase(), makeTopics()]);
    proxy = await DatabaseProxy.open(database.url);
    if (state === 'refusing') proxy.refuse();
    role = await startAdmin(proxy.url, { HOOKLINE_ADMIN_TIMEOUT: '1s' });
    operator = new ApiClient(role.url, OPERATOR_TOKEN);
  }

  async function expectUnavailable(): Promise<void> {
    const calls = [
      operator.get('/v1/tenants'),
      operator.post('/v1/tenants', { name: 'a' }),
      operator.get('/v1/deliveries/msg_00000000000000000000000000000000'),
      new ApiClient(role.url, `hk_${'0'.repeat(20)}_${'a'.repeat(43)}`).get('/v1/replays'),
    ];
    for (const answer of await Promise.all(calls)) {
      expect(answer.body).toMatchObject({
        status: 503,
        type: 'https://hookline.dev/problems/database-unavailable',
      });
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
  }

  async function expectWorking(): Promise<void> {
    const made = await waitUntil(
      async () => {
        const answer = await operator.post('/v1/tenants', { name: 'a' });
        return answer.status === 201 && answer;
      },
      { deadlineMs: 90_000, what: 'a tenant to be made' },
    );
    const key = await waitUntil(
      async () => {
        const answer = await operator.post(`/v1/tenants/${String(made.body['id'])}/keys`, { name: 'a' });
        return answer.status === 201 && answer;
      },
      { deadlineMs: 90_000, what: 'a key to be made' },
    );
    await waitUntil(
      async () => (await readFrom(TOPICS.credentials, new Map())).some(({ key: id }) => String(id) === key.body['id']),
      { deadlineMs: 90_000, what: 'the key to be published' },
    );
  }

  it('starts, answers 503, and works once the database is there', async () => {
    await start('refusing');
    await expectUnavailable();
    expect((await operator.get('/healthz')).status).toBe(200);
    proxy.restore();
    await expectWorking();
  });

  it('answers 503 while a database hangs, and works when it is back', async () => {
    await start('open');
    await expectWorking();
    proxy.hang();
    await expectUnavailable();
    proxy.restore();
    await expectWorking();
  });
});
