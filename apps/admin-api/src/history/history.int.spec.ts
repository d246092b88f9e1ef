import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutcomeRecord } from '@hookline/contracts';
import { deliveryIdOf, verifySignature } from '@hookline/domain';
import { createPool, DayPartitions, HistoryWriter } from '@hookline/persistence';
import { AdminRig, adminSettings } from '../testing/admin-rig.js';
import type { ApiClient } from '../testing/api-client.js';

/** Within the time that a list goes back where that is not said. */
const AT = Date.now() - 3_600_000;
/** As long as an id may be, and made of what must be escaped in a path. */
const LONG_ID = `ä/%?#+ &${'x'.repeat(116)}🎉🎉`;

let rig: AdminRig;
let tenant: { id: string; client: ApiClient };
let one: string;
let two: string;

/** Writes, as the recorder does, an event at an offset of partition 0 and the first outcome about it. */
async function record(
  offset: number,
  id: string,
  outcome: Partial<OutcomeRecord>,
  payload = '{"n": 1.50}',
): Promise<void> {
  const pool = createPool(adminSettings(rig.database.url).database, () => undefined);
  const position = { partition: 0, offset, at: AT + offset };
  const envelope = { tenant: tenant.id, id, type: 'order.created', time: '2026-11-20T12:00:00+01:00', key: 'k' };
  await new HistoryWriter(pool, new DayPartitions()).write(
    {
      moves: [],
      events: [{ position, envelope, payload: Buffer.from(payload) }],
      outcomes: [
        {
          position: { partition: 0, offset, at: AT + offset + 5 },
          outcome: { v: 1, tenant: tenant.id, eventId: id, type: envelope.type, source: position, ...outcome },
        },
      ],
    },
    new AbortController().signal,
  );
  await pool.end();
}

beforeAll(async () => {
  rig = await AdminRig.start();
  tenant = await rig.tenant();
  const subscribe = async (): Promise<string> =>
    String((await tenant.client.post('/v1/webhooks/subscriptions', { url: 'https://example.com/' })).body['id']);
  one = await subscribe();
  two = await subscribe();
});

afterAll(() => rig.stop());

describe('an event', () => {
  it('that matched nothing says so, with its payload exactly as it came', async () => {
    await record(1, LONG_ID, { matched: [] });
    const { status, body } = await tenant.client.get(`/v1/events/${encodeURIComponent(LONG_ID)}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: LONG_ID,
      tenantId: tenant.id,
      partition: 0,
      offset: 1,
      appendedAt: new Date(AT + 1).toISOString(),
      type: 'order.created',
      time: '2026-11-20T12:00:00+01:00',
      key: 'k',
      size: 11,
      expungedAt: null,
      routing: 'routed',
      matched: [],
      duplicateOf: null,
      payload: '{"n": 1.50}',
      data: { n: 1.5 },
      repeats: [],
      deliveries: [],
    });
  });

  it('that was published twice shows the repeat beside it', async () => {
    await record(10, 'twice', { matched: [] });
    await record(11, 'twice', { matched: [], duplicateOf: 10 });
    const { body } = await tenant.client.get('/v1/events/twice');
    expect(body).toMatchObject({ offset: 10, repeats: [{ offset: 11, duplicateOf: 10 }] });
  });

  it("is not there for another tenant's key", async () => {
    await record(20, 'mine', { matched: [] });
    const other = await rig.tenant();
    expect((await other.client.get('/v1/events/mine')).status).toBe(404);
    expect((await rig.operator.get(`/v1/events/mine?tenantId=${other.id}`)).status).toBe(404);
    expect((await rig.operator.get(`/v1/events/mine?tenantId=${tenant.id}`)).status).toBe(200);
  });
});

describe('a delivery', () => {
  it('is found by its event, by its id with its attempts, and not by another tenant', async () => {
    const source = { partition: 0, offset: 30, at: AT + 30 };
    const id = deliveryIdOf({ tenant: tenant.id, id: 'sent' }, source, one);
    const attempt = { id: 'att_1', number: 1, at: AT + 31, durationMs: 12, status: 503, responseBody: 'later' };
    await record(30, 'sent', {
      matched: [one],
      delivery: { id, subscriptionId: one, state: 'retrying', attempt, nextAttemptAt: AT + 5_031 },
    });
    const summary = { id, subscriptionId: one, state: 'retrying', attemptCount: 1 };
    expect((await tenant.client.get('/v1/events/sent')).body).toMatchObject({ matched: [one], deliveries: [summary] });
    expect((await tenant.client.get('/v1/deliveries?eventId=sent')).body).toMatchObject({
      items: [{ ...summary, event: { id: 'sent', partition: 0, offset: 30 } }],
      nextCursor: null,
    });
    expect((await tenant.client.get('/v1/deliveries?eventId=sent&state=delivered')).body).toMatchObject({ items: [] });
    expect((await tenant.client.get(`/v1/deliveries?subscriptionId=${one}&state=retrying`)).body).toMatchObject({
      items: [summary],
    });
    expect((await tenant.client.get(`/v1/deliveries/${id}`)).body).toMatchObject({
      ...summary,
      lastStatus: 503,
      nextAttemptAt: new Date(AT + 5_031).toISOString(),
      attempts: [{ id: 'att_1', number: 1, status: 503, durationMs: 12, responseBody: 'later', replayId: null }],
    });
    const other = await rig.tenant();
    expect((await other.client.get(`/v1/deliveries/${id}`)).status).toBe(404);
    expect((await other.client.get(`/v1/deliveries?subscriptionId=${one}`)).body).toMatchObject({ items: [] });
  });

  it('is one of a page, and the next page goes on behind it', async () => {
    for (let i = 0; i < 5; i += 1) {
      const source = { partition: 0, offset: 40 + i, at: AT + 40 + i };
      const id = deliveryIdOf({ tenant: tenant.id, id: `paged-${i}` }, source, two);
      await record(40 + i, `paged-${i}`, {
        matched: [two],
        delivery: { id, subscriptionId: two, state: 'delivered' },
      });
    }
    const seen: string[] = [];
    for (let query: string | null = ''; query !== null;) {
      const { body } = await tenant.client.get(`/v1/deliveries?subscriptionId=${two}&limit=2${query}`);
      seen.push(...(body['items'] as { event: { id: string } }[]).map(({ event }) => event.id));
      query = body['nextCursor'] === null ? null : `&cursor=${String(body['nextCursor'])}`;
    }
    expect(seen).toEqual(['paged-4', 'paged-3', 'paged-2', 'paged-1', 'paged-0']);
  });
});

describe('an attempt', () => {
  const PAYLOAD = '{"n": 1.50, "ä": "€"}';
  interface Exchange {
    request: Record<string, unknown> & { headers: { name: string; value: string }[]; body: string | null };
    response: Record<string, unknown> | null;
  }

  /** A subscription of its own, and a failed attempt of a delivery to it. */
  async function attempted(
    offset: number,
    version = 1,
  ): Promise<{ path: string; secret: string; subscription: string; eventId: string }> {
    const { body } = await tenant.client.post('/v1/webhooks/subscriptions', {
      url: 'https://example.com/hook?a=1',
      headers: { Authorization: 'Bearer s3cret', Accept: 'text/plain' },
    });
    const subscription = String(body['id']);
    const eventId = `tried-${offset}`;
    const source = { partition: 0, offset, at: AT + offset };
    const id = deliveryIdOf({ tenant: tenant.id, id: eventId }, source, subscription);
    const attempt = {
      id: 'Ab-_.7',
      number: 3,
      at: AT + 999,
      durationMs: 12,
      version,
      status: 503,
      responseBody: 'later',
      responseHeaders: ['retry-after', '7', 'set-cookie', '***'],
    };
    const delivery = { id, subscriptionId: subscription, state: 'retrying' as const, attempt, replayId: 'rpl_1' };
    await record(offset, eventId, { matched: [subscription], delivery }, PAYLOAD);
    return {
      path: `/v1/deliveries/${id}/attempts/${attempt.id}`,
      secret: String(body['secret']),
      subscription,
      eventId,
    };
  }
  const exchange = async (path: string): Promise<Exchange> => {
    const { status, body } = await tenant.client.get(path);
    expect(status).toBe(200);
    return body as unknown as Exchange;
  };
  const headerOf = ({ request }: Exchange, name: string): string | undefined =>
    request.headers.find((header) => header.name === name)?.value;

  it('shows the request with a signature that the endpoint would take, and the answer, secrets masked', async () => {
    const { path, secret } = await attempted(60);
    const shown = await exchange(path);
    expect(shown).toMatchObject({
      id: 'Ab-_.7',
      outcome: 'failed',
      request: {
        reconstructed: true,
        method: 'POST',
        url: 'https://example.com/hook?a=1',
        ownHeaders: [
          { name: 'Authorization', value: '***' },
          { name: 'Accept', value: 'text/plain' },
        ],
        unknown: null,
        body: PAYLOAD,
      },
      response: {
        status: 503,
        headers: [
          { name: 'retry-after', value: '7' },
          { name: 'set-cookie', value: '***' },
        ],
        body: 'later',
      },
    });
    expect(JSON.stringify(shown)).not.toContain('s3cret');
    expect(headerOf(shown, 'hookline-attempt')).toBe('3');
    expect(headerOf(shown, 'hookline-replay-id')).toBe('rpl_1');
    expect(headerOf(shown, 'webhook-timestamp')).toBe(String(Math.floor((AT + 999) / 1_000)));
    const headers = Object.fromEntries(shown.request.headers.map(({ name, value }) => [name, value]));
    const message = { headers, body: Buffer.from(PAYLOAD) };
    expect(verifySignature(message, secret, AT + 999, 1_000)).toBe('valid');
  });

  it('of a subscription that was changed since does not show the URL of now as if it had been that', async () => {
    const { path, subscription } = await attempted(61);
    await tenant.client.patch(`/v1/webhooks/subscriptions/${subscription}`, { url: 'https://example.com/other' });
    const changed = await exchange(path);
    expect(changed.request).toMatchObject({
      url: null,
      ownHeaders: null,
      unknown: 'the subscription was changed since',
      body: PAYLOAD,
    });
    expect(headerOf(changed, 'webhook-signature')).toBe('***');
    await tenant.client.delete(`/v1/webhooks/subscriptions/${subscription}`);
    expect((await exchange(path)).request).toMatchObject({ url: null, unknown: 'the subscription was deleted since' });
  });

  it('of an event that was expunged shows neither the payload nor what was answered', async () => {
    const { path, eventId } = await attempted(62);
    expect((await tenant.client.delete(`/v1/events/${eventId}/payload`)).status).toBe(200);
    const expunged = await exchange(path);
    expect(expunged).toMatchObject({ request: { body: null }, response: { status: 503, headers: null, body: null } });
    expect(headerOf(expunged, 'webhook-signature')).toBe('***');
  });

  it("is not there by another id, for another delivery, or for another tenant's key", async () => {
    const [{ path }, other] = [await attempted(63), await rig.tenant()];
    expect((await other.client.get(path)).status).toBe(404);
    expect((await rig.operator.get(path)).status).toBe(200);
    for (const unknown of [`${path}1`, `${path}%00`, path.replace('/msg_', '/msg_0')])
      expect((await tenant.client.get(unknown)).status).toBe(404);
  });
});
