import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { retryTopic, TOPICS } from '@hookline/contracts';
import { uniqueName, waitUntil, WebhookReceiver, type DeliveryView } from '@hookline/testing';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { HooklineUnderTest } from './support/hookline.js';
import { eventIdOf } from './support/reconcile.js';
import { receives } from './support/settled.js';

const EVENTS = 60;
/** Nothing falls due while the test runs. */
const DELAY_MS = 3_600_000;
const LANE = retryTopic(DELAY_MS);
/** A catch-up begins when every worker knows of it, and that takes its time on a busy machine. */
const PATIENCE_MS = 180_000;

interface AgeOut {
  topic: string;
  partition: number;
  from: number;
  to: number;
  state: string;
  recreated?: number;
}

describe('retention that passes over a retry lane while the workers are down', () => {
  let hookline: HooklineUnderTest;
  let receiver: WebhookReceiver;
  let admin: Admin;

  beforeAll(async () => {
    hookline = await HooklineUnderTest.start(
      { HOOKLINE_RETRY_DELAYS: `${DELAY_MS}ms`, HOOKLINE_WATERMARK_INTERVAL: '200ms' },
      1,
    );
    receiver = await WebhookReceiver.start();
    const brokers = hookline.installation.kafka?.brokers ?? [];
    admin = new Kafka({ brokers, clientId: 'age-out', logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await receiver?.close();
    await hookline?.stop();
  });

  const bounds = async (topic: string): Promise<{ partition: number; low: number; high: number }[]> =>
    (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      high: Number(high),
    }));

  it('brings each event of the lane again, each once, and says with exact bounds what aged out', async () => {
    const api = await hookline.newTenant(uniqueName('tenant'));
    await api.subscribe({ url: receiver.url, types: ['load.*'] });
    await receives(api, receiver);
    receiver.behave({ status: 500 });
    const prefix = uniqueName('aged');
    const ids = Array.from({ length: EVENTS }, (_, n) => `${prefix}-${n}`);
    await api.publishBatch(ids.map((id) => ({ id, type: 'load.test', data: {} })));
    const deliveryOf = async (id: string): Promise<DeliveryView | undefined> => {
      const found = api.admin('GET', `/v1/events/${id}`) as Promise<{ deliveries: DeliveryView[] }>;
      return (await found.catch(() => undefined))?.deliveries[0];
    };
    const states = async (): Promise<string[]> =>
      (await Promise.all(ids.map(async (id) => (await deliveryOf(id))?.state))).map(String);
    await waitUntil(async () => (await states()).every((state) => ['retrying', 'pending'].includes(state)), {
      deadlineMs: PATIENCE_MS,
      what: 'all to wait in the lane, and history to know',
    });

    const worker = hookline.installation.role('delivery');
    await worker.stop();
    const lane = await bounds(LANE);
    expect(lane.reduce((sum, { high }) => sum + high, 0)).toBeGreaterThanOrEqual(EVENTS);
    const partitions = lane.map(({ partition, high }) => ({ partition, offset: String(high) }));
    await admin.deleteTopicRecords({ topic: LANE, partitions });
    const since = receiver.requests.length;
    receiver.behave({ status: 204 });
    await worker.start();

    await waitUntil(async () => (await states()).every((state) => state === 'delivered'), {
      deadlineMs: PATIENCE_MS,
      what: 'each to be delivered',
    });
    // Without those that only asked whether the subscription is known.
    const arrived = receiver.requests.slice(since).map(eventIdOf);
    expect(arrived.filter((id) => id.startsWith(prefix)).toSorted()).toEqual(ids.toSorted());

    const { items } = (await hookline.operator.admin('GET', '/v1/age-outs')) as { items: AgeOut[] };
    const told = items.filter(({ topic }) => topic === LANE);
    expect(told.map(({ partition, from, to }) => ({ partition, from, to })).toSorted(byPartition)).toEqual(
      lane.filter(({ high }) => high > 0).map(({ partition, high }) => ({ partition, from: 0, to: high })),
    );
    for (const { state } of told) expect(state).toBe('re-created');
    expect(items.filter(({ topic }) => topic === TOPICS.events)).toEqual([]);
  });
});

const byPartition = (a: { partition: number }, b: { partition: number }): number => a.partition - b.partition;
