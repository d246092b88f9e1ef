import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import { AdminRig } from '../testing/admin-rig.js';
import type { ApiClient } from '../testing/api-client.js';
import { expunge } from '../testing/ends.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';

const FOUR = ['a.b', 'a.b', 'c.d', 'c.d'];

let rig: ReplayRig;
let admin: AdminRig;

beforeAll(async () => {
  rig = await ReplayRig.start();
  admin = await AdminRig.start({ DATABASE_URL: rig.databaseUrl, HOOKLINE_MAX_OPEN_REPLAYS: '100' });
});

afterAll(async () => {
  await admin.stop();
  await rig.stop();
});

async function subscriber(types = ['*']): Promise<{ id: string; tenant: string; client: ApiClient }> {
  const { id: tenant, client } = await admin.tenant();
  const { id } = await rig.subscribe(types, tenant);
  return { id, tenant, client };
}

async function completed(client: ApiClient, id: unknown): Promise<Record<string, unknown>> {
  return rig.until('the replay to be completed', async () => {
    const { body } = await client.get(`/v1/replays/${String(id)}`);
    return body['status'] === 'completed' && body;
  });
}

async function arrived(subscription: string, replayId: unknown): Promise<string[]> {
  return (await rig.arrived(TOPICS.replays, subscription))
    .filter((delivery) => delivery.replayId === replayId)
    .map(({ deliveryId }) => deliveryId)
    .sort();
}

const firstTime = (events: readonly PublishedEvent[]): number => Math.min(...events.map(({ at }) => at));
const idOf = (event: PublishedEvent, subscription: string): string => deliveryIdOf(event, event, subscription);

describe('a replay to the original subscriptions', () => {
  it('brings each event to those that it was for when it came, whatever they match now', async () => {
    const { id: changed, tenant, client } = await subscriber(['a.*']);
    const { id: broad } = await rig.subscribe(['*'], tenant);
    const { id: young } = await rig.subscribe(['*'], tenant);
    const { id: paused } = await rig.subscribe(['*'], tenant);
    const events = await rig.publish(tenant, [...FOUR, ...FOUR]);
    const [ab, cd] = [events.filter(({ type }) => type === 'a.b'), events.filter(({ type }) => type === 'c.d')];
    const [repeat, unheardOf, ...told] = ab as [PublishedEvent, PublishedEvent, ...PublishedEvent[]];
    await rig.decide(told, [changed, broad, paused]);
    await rig.decide(cd, [broad, paused]);
    await rig.decide([repeat], []);
    // Held while it was paused, and brought by its catch-up; asked for by a replay of its own, which makes no original of it.
    await rig.record(cd.slice(0, 1), young, 'delivered');
    const own = await client.post('/v1/replays', {
      topic: TOPICS.events,
      from: { timestamp: firstTime(events) },
      subscriptionIds: [young],
      dryRun: true,
    });
    await rig.record(cd.slice(1, 2), young, 'delivered', String(own.body['id']));
    await rig.database.query(`UPDATE subscriptions SET types = '{x.y}' WHERE id = $1`, [changed]);
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [paused]);

    const ask = { topic: TOPICS.events, from: { timestamp: firstTime(events) }, subscriptions: 'original' };
    const made = await client.post('/v1/replays', ask);
    expect(made).toMatchObject({ status: 202, body: { subscriptions: 'original' } });
    const done = await completed(client, made.body['id']);
    expect(await arrived(changed, done['id'])).toEqual(deliveryIdsOf(told, changed));
    expect(await arrived(broad, done['id'])).toEqual(deliveryIdsOf([...told, ...cd], broad));
    expect(await arrived(young, done['id'])).toEqual(deliveryIdsOf(cd.slice(0, 1), young));
    expect(await arrived(paused, done['id'])).toEqual([]);
    expect(done).toMatchObject({ undecided: 1, matched: events.length - 2, sent: 2 * told.length + cd.length + 1 });
    expect(unheardOf).toBeDefined();

    const some = await client.post('/v1/replays', { ...ask, types: ['c.*'], subscriptionIds: [broad] });
    const one = await completed(client, some.body['id']);
    expect(await arrived(broad, one['id'])).toEqual(deliveryIdsOf(cd, broad));
    expect(one).toMatchObject({ sent: cd.length, undecided: 0 });

    const now = await client.post('/v1/replays', { ...ask, subscriptions: 'matching', subscriptionIds: [changed] });
    expect(await completed(client, now.body['id'])).toMatchObject({ subscriptions: 'matching', sent: 0 });
  });
});

describe('a delivery that is sent once more', () => {
  it('arrives under its id, and nothing else does, whatever its subscription matches now', async () => {
    const { id, tenant, client } = await subscriber();
    const { id: other } = await rig.subscribe(['*'], tenant);
    const events = await rig.publish(tenant, FOUR);
    await rig.decide(events, [id, other]);
    await rig.record(events, id, 'delivered');
    await rig.database.query(`UPDATE subscriptions SET types = '{x.y}' WHERE id = $1`, [id]);
    const deliveryId = idOf(events[2] as PublishedEvent, id);
    const made = await client.post(`/v1/deliveries/${deliveryId}/resend`, {});
    expect(made).toMatchObject({
      status: 202,
      body: { subscriptions: 'chosen', subscriptionIds: [id], from: { deliveryId } },
    });
    expect(await completed(client, made.body['id'])).toMatchObject({ sent: 1, matched: 1, scanned: 1 });
    expect(await arrived(id, made.body['id'])).toEqual([deliveryId]);
    expect(await arrived(other, made.body['id'])).toEqual([]);
  });

  it("is refused where it can't be: not there, another tenant's, its subscription paused, its event gone or expunged", async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, ['a.b']);
    await rig.record(events, id, 'delivered');
    const gone = { ...(events[0] as PublishedEvent), offset: 1_000_000_000 };
    await rig.record([gone], id, 'delivered');
    const deliveryId = idOf(events[0] as PublishedEvent, id);
    const resend = (as: ApiClient, which: string) => as.post(`/v1/deliveries/${which}/resend`, {});
    expect((await resend(client, 'msg_1')).status).toBe(404);
    expect((await resend((await subscriber()).client, deliveryId)).status).toBe(404);
    expect(await resend(client, idOf(gone, id))).toMatchObject({
      status: 410,
      body: { detail: expect.stringMatching(/stood at offset 1000000000 of partition \d .* has \d+ to \d+/) },
    });
    const [withdrawn] = (await rig.publish(tenant, ['a.b'])) as [PublishedEvent];
    await rig.record([withdrawn], id, 'dead-lettered');
    await expunge(rig, [withdrawn]);
    expect(await resend(client, idOf(withdrawn, id))).toMatchObject({
      status: 410,
      body: { type: expect.stringMatching(/expunged$/), title: expect.stringContaining('expunged') },
    });
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [id]);
    expect(await resend(client, deliveryId)).toMatchObject({
      status: 409,
      body: { title: 'The subscription is paused' },
    });
    expect((await client.get('/v1/replays')).body).toMatchObject({ items: [] });
  });
});

describe('what a subscription has missed', () => {
  it('is recovered by what became of it, and from when', async () => {
    const { id, tenant, client } = await subscriber();
    const { id: other } = await rig.subscribe(['*'], tenant);
    const [dead, unknown] = [await rig.publish(tenant, FOUR), await rig.publish(tenant, FOUR)];
    await rig.decide([...dead, ...unknown], [id, other]);
    await rig.record(dead, id, 'dead-lettered');
    await rig.record(dead, other, 'dead-lettered');
    const recover = (body: object) => client.post(`/v1/webhooks/subscriptions/${id}/recover`, body);
    const from = { timestamp: firstTime(dead) };
    const cases: [object, PublishedEvent[]][] = [
      [{ from }, dead],
      [{ from, types: ['c.*'] }, dead.filter(({ type }) => type === 'c.d')],
      [{ from, outcome: 'undelivered' }, [...dead, ...unknown]],
    ];
    for (const [body, expected] of cases) {
      const made = await recover(body);
      expect(made).toMatchObject({ status: 202, body: { subscriptionIds: [id] } });
      await completed(client, made.body['id']);
      expect({ body, ids: await arrived(id, made.body['id']) }).toEqual({ body, ids: deliveryIdsOf(expected, id) });
      expect(await arrived(other, made.body['id'])).toEqual([]);
    }
    expect(await recover({})).toMatchObject({ status: 400, body: { errors: [{ field: 'from' }] } });
    expect(await recover({ from, outcome: 'lost' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'outcome' }] },
    });
    const late = { from: { timestamp: 2 }, to: { timestamp: 1 } };
    expect(await recover(late)).toMatchObject({ status: 400, body: { errors: [{ field: 'from.timestamp' }] } });
    const stranger = await subscriber();
    expect((await stranger.client.post(`/v1/webhooks/subscriptions/${id}/recover`, { from })).status).toBe(404);
    await rig.database.query(`UPDATE subscriptions SET status = 'disabled' WHERE id = $1`, [id]);
    expect(await recover({ from })).toMatchObject({ status: 409, body: { title: 'The subscription is disabled' } });
  });
});
