import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import { AdminRig } from '../testing/admin-rig.js';
import type { ApiAnswer, ApiClient } from '../testing/api-client.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';

const FOUR = ['a.b', 'a.b', 'c.d', 'c.d'];

describe('a replay that is asked for with conditions', () => {
  let rig: ReplayRig;
  let admin: AdminRig;

  beforeAll(async () => {
    rig = await ReplayRig.start();
    // The rig's database has its history; the API and what runs replays are those of admin-api.
    admin = await AdminRig.start({ DATABASE_URL: rig.databaseUrl, HOOKLINE_MAX_OPEN_REPLAYS: '100' });
  });

  afterAll(async () => {
    await admin.stop();
    await rig.stop();
  });

  async function subscriber(): Promise<{ id: string; tenant: string; client: ApiClient }> {
    const { id: tenant, client } = await admin.tenant();
    const { id } = await rig.subscribe(['*'], tenant);
    return { id, tenant, client };
  }

  const ask = (client: ApiClient, request: object): Promise<ApiAnswer> =>
    client.post('/v1/replays', { topic: TOPICS.events, ...request });

  async function replayed(client: ApiClient, request: object): Promise<Record<string, unknown> & { id: string }> {
    const made = await ask(client, request);
    expect(made).toMatchObject({ status: 202 });
    return until(client, String(made.body['id']), 'completed');
  }

  function until(client: ApiClient, id: string, status: string): Promise<Record<string, unknown> & { id: string }> {
    return rig.until(`the replay to be ${status}`, async () => {
      const { body } = await client.get(`/v1/replays/${id}`);
      return body['status'] === status && (body as Record<string, unknown> & { id: string });
    });
  }

  async function arrived(id: string, replayId: string): Promise<string[]> {
    return (await rig.arrived(TOPICS.replays, id))
      .filter((delivery) => delivery.replayId === replayId)
      .map(({ deliveryId }) => deliveryId)
      .sort();
  }

  const firstTime = (events: readonly PublishedEvent[]): number => Math.min(...events.map(({ at }) => at));

  it('brings only the types and the outcomes that were named', async () => {
    const { id, tenant, client } = await subscriber();
    const [delivered, dead, unknown] = [
      await rig.publish(tenant, FOUR),
      await rig.publish(tenant, FOUR),
      await rig.publish(tenant, FOUR),
    ];
    await rig.record(delivered, id, 'delivered');
    await rig.record(dead, id, 'dead-lettered');
    await rig.decide([...delivered, ...dead, ...unknown], [id]);
    const from = { timestamp: firstTime(delivered) };
    const all = [...delivered, ...dead, ...unknown];
    const cases: [object, PublishedEvent[]][] = [
      [{}, all],
      [{ types: ['a.*'] }, all.filter(({ type }) => type === 'a.b')],
      [{ outcome: 'undelivered' }, [...dead, ...unknown]],
      [{ outcome: 'failed' }, dead],
      [{ outcome: 'failed', types: ['c.d', 'x.*'] }, dead.filter(({ type }) => type === 'c.d')],
    ];
    for (const [conditions, expected] of cases) {
      const done = await replayed(client, { from, ...conditions });
      expect({ conditions, ids: await arrived(id, done.id) }).toEqual({ conditions, ids: deliveryIdsOf(expected, id) });
      expect(done).toMatchObject({ sent: expected.length, matched: expected.length, dryRun: null });
    }
  });

  it('brings nothing that was expunged, though the log still has it', async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, FOUR);
    await rig.recordEvents(events);
    await rig.decide(events, [id]);
    const [withdrawn, ...others] = events as [PublishedEvent, ...PublishedEvent[]];
    expect(await client.delete(`/v1/events/${withdrawn.id}/payload`)).toMatchObject({ status: 200 });
    const done = await replayed(client, { from: { timestamp: firstTime(events) } });
    expect(await arrived(id, done.id)).toEqual(deliveryIdsOf(others, id));
  });

  it('counts and samples in a dry run, and hands nothing over', async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, [...FOUR, ...FOUR, ...FOUR, ...FOUR, ...FOUR, ...FOUR]);
    await rig.decide(events, [id]);
    const done = await replayed(client, { from: { timestamp: firstTime(events) }, dryRun: true, types: ['a.b'] });
    expect(done).toMatchObject({ matched: 12, sent: 0, dryRun: { wouldSend: 12 } });
    const { sample } = done['dryRun'] as { sample: { id: string; subscriptionIds: string[] }[] };
    expect(sample.map((event) => event.id).sort()).toEqual(
      events
        .filter(({ type }) => type === 'a.b')
        .map((event) => event.id)
        .sort(),
    );
    for (const { subscriptionIds } of sample) expect(subscriptionIds).toEqual([id]);
    expect(await arrived(id, done.id)).toEqual([]);
  });

  it('begins and ends at events, or after the last success', async () => {
    const { id, tenant, client } = await subscriber();
    const events: PublishedEvent[] = [];
    for (let i = 0; i < 6; i += 1) {
      const [event] = await rig.publish(tenant, ['a.b']);
      if (event) events.push(event);
      await rig.until('the clock to go on', () => Date.now() > (event?.at ?? 0) + 2);
    }
    await rig.decide(events, [id]);
    await rig.record(events.slice(0, 3), id, 'delivered');
    const pool = events.map(({ id: event, partition, offset, at }) => [partition, offset, new Date(at), tenant, event]);
    for (const row of pool)
      await rig.database.query(
        `INSERT INTO events (partition, "offset", appended_at, tenant_id, event_id, type, time, payload, size)
         VALUES ($1, $2, $3, $4, $5, 'a.b', '', '', 0)`,
        row,
      );
    const between = await replayed(client, { from: { eventId: events[1]?.id }, to: { eventId: events[4]?.id } });
    expect(await arrived(id, between.id)).toEqual(deliveryIdsOf(events.slice(1, 4), id));
    const since = await replayed(client, { from: { lastSuccessOf: id }, outcome: 'undelivered' });
    expect(await arrived(id, since.id)).toEqual(deliveryIdsOf(events.slice(3), id));
  });

  it('is refused with a reason where it makes no sense', async () => {
    const { id, tenant, client } = await subscriber();
    const [first, last] = await rig.publish(tenant, ['a.b', 'a.b']);
    const now = Date.now();
    const cases: [object, string, RegExp][] = [
      [{ from: { timestamp: now }, rate: 0 }, 'rate', /at least 0.1/],
      [{ from: { timestamp: now }, to: { timestamp: now - 1 } }, 'from.timestamp', /is after to.timestamp/],
      [{ from: { offsets: { 77: 0 } } }, 'from.offsets.77', /no such partition; the topic has 0 to/],
      [{ from: { offsets: { 0: 1_000_000_000 } } }, 'from.offsets.0', /it has \d+ to \d+/],
      [{ from: { eventId: newId('evt') } }, 'from.eventId', /history has no such event/],
      [{ from: { lastSuccessOf: id } }, 'from.lastSuccessOf', /no success/],
      [{ from: { timestamp: now }, types: ['a..b'] }, 'types[0]', /must be/],
      [{ from: { timestamp: now }, outcome: 'well' }, 'outcome', /./],
    ];
    for (const [request, field, message] of cases) {
      const { status, body } = await ask(client, request);
      expect({ request, status, body }).toMatchObject({
        status: 400,
        body: { errors: [{ field, message: expect.stringMatching(message) }] },
      });
    }
    expect(first).toBeDefined();
    expect(last).toBeDefined();
  });

  it('can be paused and resumed, and brings all of it once; it waits for its rate meanwhile', async () => {
    const { id, tenant, client } = await subscriber();
    // So wide that the next event is due minutes after the first.
    const others = [];
    for (let i = 0; i < 19; i += 1) others.push((await rig.subscribe(['*'], tenant)).id);
    const events = await rig.publish(tenant, [...FOUR, ...FOUR]);
    await rig.decide(events, [id, ...others]);
    const made = await ask(client, { from: { timestamp: firstTime(events) }, rate: 0.1 });
    const replayId = String(made.body['id']);
    const get = async (): Promise<Record<string, unknown>> => (await client.get(`/v1/replays/${replayId}`)).body;
    await rig.until('the first event to be handed over', async () => (await get())['sent'] === 20);
    expect(await get()).toMatchObject({ status: 'running', rate: 0.1, estimatedEndAt: expect.any(String) });
    const paused = await client.post(`/v1/replays/${replayId}/pause`, {});
    expect(paused).toMatchObject({ status: 200, body: { status: 'paused', estimatedEndAt: null } });
    // Paused twice is paused.
    expect((await client.post(`/v1/replays/${replayId}/pause`, {})).status).toBe(200);
    await rig.database.query(`UPDATE replays SET spec = spec || '{"rate": null}' WHERE id = $1`, [replayId]);
    // Another one that completes shows that the scheduler has gone by.
    await replayed(client, { from: { timestamp: firstTime(events) }, dryRun: true });
    expect(await get()).toMatchObject({ status: 'paused', sent: 20 });
    const resumed = await client.post(`/v1/replays/${replayId}/resume`, {});
    expect(resumed.status).toBe(200);
    const done = await until(client, replayId, 'completed');
    expect(await arrived(id, replayId)).toEqual(deliveryIdsOf(events, id));
    expect(done).toMatchObject({ sent: events.length * 20, matched: events.length, estimatedEndAt: null });
    const tooLate = await client.post(`/v1/replays/${replayId}/pause`, {});
    expect(tooLate).toMatchObject({ status: 409, body: { title: 'A replay that is completed can not become paused' } });
    const other = await subscriber();
    expect((await other.client.post(`/v1/replays/${replayId}/resume`, {})).status).toBe(404);
  });
});
