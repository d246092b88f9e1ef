import { afterEach, describe, expect, it } from '@jest/globals';
import type { RunningRole } from '@hookline/platform';
import { waitUntil, type TestDatabase } from '@hookline/testing';
import { migratedDatabase, OPERATOR_TOKEN, startAdmin } from './testing/admin-rig.js';
import { ApiClient, type ApiAnswer } from './testing/api-client.js';

describe('without Kafka', () => {
  let database: TestDatabase;
  let role: RunningRole | undefined;

  afterEach(async () => {
    await role?.stop();
    await database.drop();
  });

  it('manages what is in the database, answers 503 for what needs the log, and stops', async () => {
    database = await migratedDatabase();
    role = await startAdmin(database.url, {
      KAFKA_BROKERS: '127.0.0.1:1',
      HOOKLINE_ADMIN_TIMEOUT: '2s',
      HOOKLINE_DRAIN_TIMEOUT: '1s',
    });
    const operator = new ApiClient(role.url, OPERATOR_TOKEN);
    // Its time for an answer is short here, also for PostgreSQL's: where that was too short once, it is asked again.
    const make = (path: string, body: object): Promise<ApiAnswer> =>
      waitUntil(
        async () => {
          const answer = await operator.post(path, body);
          return answer.status === 201 && answer;
        },
        { deadlineMs: 90_000, what: `201 of ${path}` },
      );
    const tenant = await make('/v1/tenants', { name: 'a' });
    const tenantId = String(tenant.body['id']);
    await make('/v1/webhooks/subscriptions', { tenantId, url: 'https://example.com/' });
    const unavailable = { status: 503, body: { type: 'https://hookline.dev/problems/kafka-unavailable' } };
    const offsets = await operator.get('/v1/topics/hookline.events/offsets');
    expect(offsets).toMatchObject(unavailable);
    expect(offsets.headers.get('retry-after')).toBe('5');
    const from = { offsets: { '0': 0 } };
    expect(await operator.post('/v1/replays', { tenantId, topic: 'hookline.events', from })).toMatchObject(unavailable);
    expect((await operator.get(`/v1/replays?tenantId=${tenantId}`)).body).toMatchObject({ items: [] });
    expect((await operator.get('/readyz')).status).toBe(200);
    await role.stop();
    role = undefined;
  });
});
