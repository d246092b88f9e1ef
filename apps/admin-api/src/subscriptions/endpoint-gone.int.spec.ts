import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { createPool, DayPartitions, HistoryWriter, readOffsets } from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import type { Pool } from 'pg';
import { AdminRig, adminSettings } from '../testing/admin-rig.js';
import type { ApiClient } from '../testing/api-client.js';
import { readFrom } from '../testing/topics.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const AT = Date.UTC(2026, 10, 22, 12);

let rig: AdminRig;
let client: ApiClient;
let pool: Pool;
let offset = 0;

beforeAll(async () => {
  // It looks by itself only after the test: what is published before was notified.
  rig = await AdminRig.start({ HOOKLINE_OUTBOX_POLL: '1h', HOOKLINE_TOPIC_WATCH: '1h' });
  ({ client } = await rig.tenant());
  pool = createPool(adminSettings(rig.database.url).database, () => undefined);
});

afterAll(async () => {
  await pool.end();
  await rig.stop();
});

async function made(asked: object = {}): Promise<{ path: string; id: string; body: Record<string, unknown> }> {
  const { body } = await client.post(SUBSCRIPTIONS, { url: 'https://example.com/hook', ...asked });
  return { path: `${SUBSCRIPTIONS}/${String(body['id'])}`, id: String(body['id']), body };
}

/** What the recorder does with an outcome that says so. */
async function gone(subscriptionId: string, version: number): Promise<void> {
  const partition = { topic: 'attempts', partition: 0 };
  await readOffsets(pool, [partition]);
  const outcome = {
    v: 1 as const,
    tenant: 'ten_1',
    eventId: 'evt_1',
    type: 'a.b',
    source: { partition: 0, offset, at: AT },
    gone: { subscriptionId, version },
  };
  const moves = [{ ...partition, expected: offset, next: offset + 1 }];
  offset += 1;
  const batch = { moves, events: [], outcomes: [{ position: { partition: 0, offset, at: AT }, outcome }] };
  await new HistoryWriter(pool, new DayPartitions()).write(batch, new AbortController().signal);
}

describe('an endpoint that is gone', () => {
  it('has its subscription disabled with a notice, and the workers are told at once', async () => {
    const { path, id } = await made({ maxInFlight: 4 });
    await gone(id, 1);
    const shown = await client.get(path);
    const notice = { status: 'disabled', disabledReason: 'endpoint-gone', disabledAt: new Date(AT).toISOString() };
    expect(shown.body).toMatchObject({ ...notice, version: 2 });
    expect(shown.headers.get('etag')).toBe('"2"');
    const { items } = (await client.get(`${SUBSCRIPTIONS}?status=disabled`)).body as { items: { id: string }[] };
    expect(items).toMatchObject([{ id, ...notice }]);
    const record = await waitUntil(
      async () =>
        (await readFrom(TOPICS.subscriptions, new Map()))
          .filter(({ key }) => String(key) === id)
          .map(({ value }) => JSON.parse(String(value)) as SubscriptionRecord)
          .find(({ version }) => version === 2),
      { deadlineMs: 90_000, what: 'the disabled subscription in the topic' },
    );
    expect(record).toMatchObject({ status: 'disabled', maxInFlight: 4, holdsFrom: expect.anything() });
  });

  it('is caught up with what it answered so since it was gone', async () => {
    const { path, id } = await made();
    await gone(id, 1);
    await client.patch(path, { status: 'enabled', catchUp: true });
    const { rows } = await pool.query('SELECT spec FROM replays WHERE subscription_id = $1', [id]);
    expect(rows).toMatchObject([{ spec: { missedSince: AT } }]);
  });

  it('can be enabled again, which takes the notice away; an old 410 does not bring it back', async () => {
    const { path, id } = await made();
    await gone(id, 1);
    expect((await client.patch(path, { status: 'enabled' }, { 'if-match': '"1"' })).status).toBe(412);
    const enabled = { status: 'enabled', disabledReason: null, disabledAt: null, version: 3 };
    expect((await client.patch(path, { status: 'enabled' }, { 'if-match': '"2"' })).body).toMatchObject(enabled);
    await gone(id, 1);
    await gone(id, 2);
    expect((await client.get(path)).body).toMatchObject(enabled);
    await gone(id, 3);
    expect((await client.get(path)).body).toMatchObject({ status: 'disabled', version: 4 });
  });

  it('keeps the notice through other changes, and through being disabled by the owner as well', async () => {
    const { path, id } = await made();
    await gone(id, 1);
    const notice = { status: 'disabled', disabledReason: 'endpoint-gone', disabledAt: new Date(AT).toISOString() };
    expect((await client.patch(path, { url: 'https://example.com/new' })).body).toMatchObject(notice);
    expect((await client.patch(path, { status: 'disabled' })).body).toMatchObject(notice);
  });
});

describe('a subscription that its owner disables', () => {
  it('says so, and since when', async () => {
    const { path } = await made();
    const { body } = await client.patch(path, { status: 'disabled' });
    expect(body).toMatchObject({ status: 'disabled', disabledReason: 'owner', disabledAt: body['updatedAt'] });
    const again = (await client.patch(path, { status: 'disabled', description: 'still' })).body;
    expect(again).toMatchObject({ disabledReason: 'owner', disabledAt: body['disabledAt'] });
  });

  it('says so also where it was made like that', async () => {
    const { body } = await made({ status: 'disabled' });
    expect(body).toMatchObject({ status: 'disabled', disabledReason: 'owner', disabledAt: body['createdAt'] });
  });
});
