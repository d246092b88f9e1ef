import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { verifySignature } from '@hookline/domain';
import { failFirstOfEach, type HooklineApi, uniqueName, waitUntil, WebhookReceiver } from '@hookline/testing';
import { HooklineUnderTest } from './support/hookline.js';
import { eventIdOf, HELLO } from './support/reconcile.js';

const FIRST_DELAY_MS = 1_000;
const SECOND_DELAY_MS = 2_000;
const PATIENCE_MS = 75_000;

interface EventView {
  matched: string[];
  routing: string;
  repeats: { duplicateOf: number | null }[];
  deliveries: { id: string; state: string }[];
}

interface DeliveryDetail {
  state: string;
  reason: string | null;
  attempts: { number: number; status: number | null; error: string | null; replayId: string | null }[];
}

describe('the way of an event', () => {
  let hookline: HooklineUnderTest;
  let api: HooklineApi;
  let receiver: WebhookReceiver;
  let subscription: { id: string; secret: string };

  beforeAll(async () => {
    hookline = await HooklineUnderTest.start({
      HOOKLINE_RETRY_DELAYS: `${FIRST_DELAY_MS}ms,${SECOND_DELAY_MS}ms`,
      // Time for two retries also where the machine stands still for ten seconds.
      HOOKLINE_DELIVERY_WINDOW: '20s',
      // So that each delivery is tried for its whole time: endpoints that are left alone are another test's affair.
      HOOKLINE_BREAKER_FAILURES: '10000',
      HOOKLINE_BREAKER_SAMPLE: '10000',
      // A machine that stands still for ten seconds is no reason to read or to send anything again.
      HOOKLINE_SESSION_TIMEOUT: '30s',
      HOOKLINE_ATTEMPT_TIMEOUT: '60s',
      HOOKLINE_FIRST_BYTE_TIMEOUT: '60s',
    });
  });
  afterAll(() => hookline?.stop());

  beforeEach(async () => {
    api = await hookline.newTenant(uniqueName('tenant'));
    receiver = await WebhookReceiver.start();
    subscription = await api.subscribe({ url: receiver.url, types: ['order.*', HELLO], headers: { 'x-shop': 'one' } });
    await waitUntil(
      async () => {
        await api.publish({ type: HELLO, data: null });
        return receiver.accepted.length > 0;
      },
      { deadlineMs: PATIENCE_MS, what: 'the first delivery of a new subscription' },
    );
  });
  afterEach(() => receiver.close());

  const orders = (): typeof receiver.requests =>
    receiver.requests.filter(({ headers }) => headers['hookline-event-type'] !== HELLO);
  const orderAttempts = (): typeof receiver.requests =>
    receiver.attempts.filter(({ headers }) => headers['hookline-event-type'] !== HELLO);
  const idsOfOrders = (): Set<string> => new Set(orders().map(eventIdOf));
  const event = (id: string): Promise<EventView> => api.admin('GET', `/v1/events/${id}`) as Promise<EventView>;
  const recorded = (id: string, isThere: (view: EventView) => boolean): Promise<EventView> =>
    waitUntil(
      async () => {
        const view = await event(id);
        return isThere(view) ? view : undefined;
      },
      { deadlineMs: PATIENCE_MS, what: `the history of ${id}` },
    );

  it('ends with the bytes that were published, signed, and a history that says what it matched', async () => {
    const id = uniqueName('order');
    const odd = uniqueName('invoice');
    await api.publishBatch([
      { id, type: 'order.created', key: 'customer-1', data: { total: 10.5, note: 'ünï' } },
      { id: odd, type: 'invoice.paid', data: [1, 2] },
    ]);
    await waitUntil(() => orders().length > 0, { deadlineMs: PATIENCE_MS, what: 'the webhook' });
    const [request] = orders();
    expect(request?.body.toString()).toBe('{"total":10.5,"note":"ünï"}');
    expect(request?.headers['x-shop']).toBe('one');
    expect(verifySignature(request as never, subscription.secret, Date.now())).toBe('valid');

    const view = await recorded(id, ({ deliveries }) => deliveries.some(({ state }) => state === 'delivered'));
    expect(view.matched).toEqual([subscription.id]);
    expect(view.deliveries.map((delivery) => delivery.id)).toEqual([request?.id]);
    const nothing = await recorded(odd, ({ routing }) => routing === 'routed');
    expect(nothing).toMatchObject({ matched: [], deliveries: [] });
  });

  it('is delivered once however often it is published: through two ingest nodes, across a restart of the worker and a rebalance', async () => {
    const id = uniqueName('order');
    const second = await hookline.another('ingest');
    const other = api.through(second.url);
    const published = { id, type: 'order.created', data: { n: 1 } };
    await Promise.all([api.publish(published), other.publish(published), api.publish(published)]);
    await waitUntil(() => orders().length > 0, { deadlineMs: PATIENCE_MS, what: 'the webhook' });
    const worker = hookline.installation.role('delivery');
    await worker.stop();
    await other.publish(published);
    await worker.start();
    await api.publish(published);
    // Two more workers take partitions over, and give them back.
    const workers = [await hookline.another('delivery'), await hookline.another('delivery')];
    await api.publish(published);
    await Promise.all(workers.map((each) => each.stop()));
    await api.publish(published);

    const view = await recorded(
      id,
      ({ repeats }) => repeats.length === 6 && repeats.every(({ duplicateOf }) => duplicateOf !== null),
    );
    expect(view.deliveries).toHaveLength(1);
    expect(orders().map(eventIdOf)).toEqual([id]);
  });

  it('is retried when it is due, never before', async () => {
    receiver.behave(failFirstOfEach(2));
    const ids = Array.from({ length: 20 }, () => uniqueName('order'));
    await api.publishBatch(ids.map((id) => ({ id, type: 'order.created', data: {} })));
    await waitUntil(() => orderAttempts().length >= 60, { deadlineMs: PATIENCE_MS, what: 'two retries of each' });
    for (const id of ids) {
      const times = orderAttempts()
        .filter((request) => eventIdOf(request) === id)
        .map(({ at }) => at);
      expect(times).toHaveLength(3);
      expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(FIRST_DELAY_MS);
      expect((times[2] as number) - (times[1] as number)).toBeGreaterThanOrEqual(SECOND_DELAY_MS);
    }
  });

  it('is dead-lettered when its time is over, and a replay from an offset brings each once, with its id', async () => {
    receiver.behave({ status: 500 });
    const ids = Array.from({ length: 30 }, () => uniqueName('order'));
    const published = await api.publishBatch(ids.map((id) => ({ id, type: 'order.created', data: { id } })));
    for (const id of ids) await recorded(id, ({ deliveries }) => deliveries.some((d) => d.state === 'dead-lettered'));
    receiver.behave({});
    receiver.requests.length = 0;

    const offsets: Record<string, number> = {};
    for (const { partition, offset } of published)
      offsets[partition] = Math.min(offset, offsets[partition] ?? Number.MAX_SAFE_INTEGER);
    const replay = (await api.admin('POST', '/v1/replays', {
      topic: 'hookline.events',
      from: { offsets },
      subscriptionIds: [subscription.id],
    })) as { id: string };
    await waitUntil(() => idsOfOrders().size >= ids.length, { deadlineMs: PATIENCE_MS, what: 'the replay' });
    const finished = await waitUntil(
      async () => {
        const view = (await api.admin('GET', `/v1/replays/${replay.id}`)) as { status: string; delivered: number };
        return view.status === 'completed' && view.delivered >= ids.length ? view : undefined;
      },
      { deadlineMs: PATIENCE_MS, what: 'the end of the replay' },
    );
    expect(finished.delivered).toBe(ids.length);
    expect(orders().map(eventIdOf).toSorted()).toEqual(ids.toSorted());
    expect(new Set(orders().map(({ headers }) => headers['hookline-replay-id']))).toEqual(new Set([replay.id]));

    const view = await recorded(ids[0] as string, ({ deliveries }) => deliveries[0]?.state === 'delivered');
    const detail = (await api.admin('GET', `/v1/deliveries/${view.deliveries[0]?.id}`)) as DeliveryDetail;
    expect(detail.attempts.length).toBeGreaterThanOrEqual(3);
    expect(detail.attempts.at(-1)).toMatchObject({ status: 204, replayId: replay.id });
  });

  it('goes on while PostgreSQL and management are dead, and is in the history afterwards', async () => {
    const { postgres } = hookline.installation;
    const management = hookline.installation.role('admin-api');
    await postgres?.kill();
    await management.kill();
    const ids = Array.from({ length: 20 }, () => uniqueName('order'));
    await api.publishBatch(ids.map((id) => ({ id, type: 'order.created', data: {} })));
    await waitUntil(() => idsOfOrders().size >= ids.length, { deadlineMs: PATIENCE_MS, what: 'the webhooks' });
    await postgres?.restart();
    await management.start();
    for (const id of ids) await recorded(id, ({ deliveries }) => deliveries[0]?.state === 'delivered');
    expect(idsOfOrders()).toEqual(new Set(ids));
  });

  it('refuses bad input with its field and limit, and writes nothing', async () => {
    const good = { type: 'order.created', data: {} };
    const id = uniqueName('order');
    await expect(
      api.publishBatch([
        { ...good, id },
        { type: 'order created', data: {} },
      ]),
    ).rejects.toMatchObject({
      status: 400,
      body: { errors: [{ field: 'events[1].type' }] },
    });
    await expect(api.publishBatch(Array.from({ length: 1_001 }, () => good))).rejects.toMatchObject({
      body: { errors: [{ limit: 1_000 }] },
    });
    await expect(api.as('hk_nobody').publish(good)).rejects.toMatchObject({ status: 401 });
    await api.publish({ ...good, id: uniqueName('order') });
    await waitUntil(() => orders().length > 0, { deadlineMs: PATIENCE_MS, what: 'the good one' });
    await expect(event(id)).rejects.toMatchObject({ status: 404 });
  });
});
