import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeDeliveryHeaders, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { distinct, waitUntil } from '@hookline/testing';
import type { Producer } from 'kafkajs';
import { AdminRig } from '../testing/admin-rig.js';
import type { ApiClient } from '../testing/api-client.js';
import { FailingRig, HOUR_MS } from '../testing/failing-rig.js';
import { deliveryIdsOf, publishEvents, type PublishedEvent } from '../testing/replay-rig.js';
import { readFrom, testProducer, workersAreThrough } from '../testing/topics.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const DEADLINE_MS = 90_000;
const TYPES = Array.from({ length: 6 }, () => 'order.created');

let rig: AdminRig;
let client: ApiClient;
let tenant: string;
let producer: Producer;
/** Its log is ahead of the brokers' by as many hours as a test lets pass. */
let log: FailingRig;
let began: number;
let id: string;
let path: string;

beforeAll(async () => {
  rig = await AdminRig.start({
    HOOKLINE_VIEW_STALE: '200ms',
    HOOKLINE_KNOWN_MARGIN: '100ms',
    HOOKLINE_KEEPER_POLL: '100ms',
  });
  ({ client, id: tenant } = await rig.tenant());
  producer = await testProducer();
  log = await FailingRig.open(rig.database.url, Date.now());
});
afterAll(async () => {
  await log.close();
  await producer.disconnect();
  await rig.stop();
});

beforeEach(async () => {
  const { body } = await client.post(SUBSCRIPTIONS, { url: 'https://example.com/hook', ordering: 'key' });
  id = String(body['id']);
  path = `${SUBSCRIPTIONS}/${id}`;
  await published(1);
});

/** Once the publisher has written it. */
async function published(version: number): Promise<void> {
  await waitUntil(
    async () =>
      (await readFrom(TOPICS.subscriptions, new Map())).some(
        ({ key, value }) => String(key) === id && (JSON.parse(String(value)) as SubscriptionRecord).version === version,
      ),
    { deadlineMs: DEADLINE_MS, what: `version ${version} in the topic` },
  );
}

const publish = (): Promise<PublishedEvent[]> => publishEvents(producer, tenant, TYPES);

const deliveryOf = (event: PublishedEvent): string => deliveryIdsOf([event], id)[0] as string;

function tell(event: PublishedEvent | undefined, told: Omit<Parameters<FailingRig['tell']>[1], 'event'>): void {
  if (event !== undefined) log.tell(id, { ...told, event, deliveryId: deliveryOf(event) });
}

/** As if the recorder had all that the real log has; it is not asked for more afterwards. */
async function recordedAll(): Promise<void> {
  await log.pool.query(
    `INSERT INTO recorder_offsets SELECT $1, p, 1000000000 FROM generate_series(0, 1) AS p
     ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset`,
    [TOPICS.attempts],
  );
}

/** What the catch-up has handed over once it is complete, each once, in the order of the lane. */
async function caughtUp(replayId: string): Promise<string[]> {
  await waitUntil(
    async () => {
      const sql = 'SELECT FROM replays WHERE id = $1 AND to_offsets IS NOT NULL';
      return (await log.pool.query(sql, [replayId])).rowCount === 1;
    },
    { deadlineMs: DEADLINE_MS, what: 'the catch-up to have its end' },
  );
  await workersAreThrough();
  await waitUntil(
    async () => {
      const { rows } = await log.pool.query('SELECT status, error FROM replays WHERE id = $1', [replayId]);
      const [row] = rows as { status: string }[];
      return row?.status === 'completed';
    },
    { deadlineMs: DEADLINE_MS, what: 'the catch-up to be complete' },
  );
  const records = (await readFrom(TOPICS.replays, new Map())).filter(({ key }) => String(key) === id);
  return distinct(
    records.map(({ headers }) => decodeDeliveryHeaders(headers).deliveryId),
    String,
  );
}

/** As they stand in each partition of the log. */
function inOrder(events: readonly PublishedEvent[]): string[][] {
  const partitions = [...new Set(events.map(({ partition }) => partition))].sort();
  return partitions.map((partition) =>
    events
      .filter((event) => event.partition === partition)
      .sort((a, b) => a.offset - b.offset)
      .map(deliveryOf),
  );
}

function ordered(arrived: readonly string[], events: readonly PublishedEvent[]): string[][] {
  const byId = new Map(events.map((event) => [deliveryOf(event), event]));
  const partitions = [...new Set(events.map(({ partition }) => partition))].sort();
  return partitions.map((partition) => arrived.filter((each) => byId.get(each)?.partition === partition));
}

async function specs(): Promise<unknown[]> {
  const { rows } = await log.pool.query<{ spec: object }>(
    'SELECT spec FROM replays WHERE subscription_id = $1 ORDER BY created_at, id',
    [id],
  );
  return rows.map(({ spec }) => spec);
}

describe('a subscription whose endpoint fails for a day', () => {
  it('is warned of, disabled, and gets all that it missed with one call: each once, in order', async () => {
    const early = await publish();
    // On the minute, as successes are kept: the time counts from the first of anybody's.
    log.now = Math.ceil(Math.max(Date.now(), ...early.map(({ at }) => at)) / 60_000) * 60_000;
    began = log.now;
    // What was given up before it began to fail is no business of this failure, nor is what somebody discarded since.
    const [well, given, discarded] = early;
    tell(given, { state: 'dead-lettered', reason: 'expired' });
    log.now += 2 * 60_000;
    tell(well, { state: 'delivered' });
    await log.record();
    const missed = await publish();
    const [expired, other, deleted, ...waiting] = missed;
    log.now += HOUR_MS;
    log.othersSucceed();
    for (const event of missed) tell(event, { state: 'retrying' });
    const [first] = waiting as [PublishedEvent];
    const again = { state: 'retrying', event: first, deliveryId: deliveryOf(first) } as const;
    await log.failFor(id, 23, again);
    const failingSince = new Date(began + 2 * 60_000 + HOUR_MS).toISOString();
    const failing = await client.get(path);
    expect(failing.body).toMatchObject({ status: 'enabled', version: 1, health: { failingSince, waiting: 6 } });
    const disablesAt = new Date(Date.parse(failingSince) + 24 * HOUR_MS).toISOString();
    expect(failing.body['health']).toMatchObject({ disablesAt, awaitsProof: false });
    // As long as nobody knows of a success of anybody, it waits for one.
    await log.pool.query('ALTER TABLE success_minutes RENAME TO kept; CREATE TABLE success_minutes (LIKE kept)');
    expect((await client.get(path)).body['health']).toMatchObject({ disablesAt: null, awaitsProof: true });
    await log.pool.query('DROP TABLE success_minutes; ALTER TABLE kept RENAME TO success_minutes');
    expect((await client.get(`${SUBSCRIPTIONS}?failing=true`)).body).toMatchObject({ items: [{ id }] });
    for (const event of [expired, other, discarded]) tell(event, { state: 'dead-lettered', reason: 'expired' });
    tell(deleted, { state: 'dead-lettered', reason: 'subscription-deleted' });
    await log.pool.query(
      `INSERT INTO audit_entries (id, tenant_id, created_at, actor, action, request, affected)
       VALUES ('aud_1', 'ten_1', now(), 'operator', 'discard', '{}', 1)`,
    );
    await log.pool.query(
      `INSERT INTO dead_letter_discards (delivery_id, event_at, letter_at, audit_id)
       VALUES (replace($1, 'msg_', '')::uuid, $2, $3, 'aud_1')`,
      [deliveryOf(discarded as PublishedEvent), new Date((discarded as PublishedEvent).at), new Date(log.now)],
    );
    await log.failFor(id, 1, again);
    const disabledAt = new Date(log.now).toISOString();
    const disabled = await client.get(path);
    expect(disabled.body).toMatchObject({ status: 'disabled', disabledReason: 'failing', disabledAt, version: 2 });
    const at = (hours: number): string => new Date(Date.parse(failingSince) + hours * HOUR_MS).toISOString();
    const warnings = [1, 12, 20].map((hours) => ({ afterSeconds: hours * 3_600, at: at(hours) }));
    const lastSuccessAt = new Date(began + 2 * 60_000).toISOString();
    const health = {
      failingSince,
      lastSuccessAt,
      disablesAt: null,
      awaitsProof: false,
      warnings,
      waiting: waiting.length,
    };
    expect(disabled.body['health']).toEqual(health);

    await published(2);
    const { partition, offset, at: appendedAt } = expired as PublishedEvent;
    await log.pool.query(
      `INSERT INTO events (partition, "offset", appended_at, tenant_id, event_id, type, time, payload, size)
       VALUES ($1, $2, $3, $4, 'e', 'a.b', '', '', 0)`,
      [partition, offset, new Date(appendedAt), tenant],
    );
    const letGoAt = new Date(appendedAt + 7 * 24 * HOUR_MS).toISOString();
    const held = await publish();
    await recordedAll();
    const { body } = await client.patch(path, { status: 'enabled', catchUp: true }, { 'if-match': '"2"' });
    const catchUp = body['catchUp'] as { replayId: string; events: number };
    const deliveries = { held: 0, pending: 0, retrying: waiting.length, deadLettered: 2 };
    expect(body).toMatchObject({ status: 'enabled', catchUp: { deliveries, letGoAt } });
    expect(catchUp.events).toBeGreaterThanOrEqual(held.length + waiting.length + 2);
    // Its failures of before are forgiven.
    expect(body['health']).toMatchObject({ failingSince: null, disablesAt: null, warnings: [] });

    const arrived = await caughtUp(catchUp.replayId);
    const expected = [expired, other, ...waiting, ...held].filter((event) => event !== undefined);
    expect([...arrived].sort()).toEqual(deliveryIdsOf(expected, id));
    expect(ordered(arrived, expected)).toEqual(inOrder(expected));
  });
});

describe('what a subscription has missed', () => {
  const DAY_AGO = (): number => Date.now() - 24 * HOUR_MS;

  /** Failing since a day ago, as history has it. */
  async function failingSince(since: number): Promise<void> {
    await log.pool.query(
      `INSERT INTO subscription_health (subscription_id, failing_since, failed_at) VALUES ($1, $2, $2)
       ON CONFLICT (subscription_id) DO UPDATE SET failing_since = $2, failed_at = $2`,
      [id, new Date(since)],
    );
  }

  it('is not forgotten where it is enabled without a catch-up, nor where one is ended before it is through', async () => {
    const since = DAY_AGO();
    await failingSince(since);
    await client.patch(path, { status: 'disabled' });
    expect((await client.patch(path, { status: 'enabled' })).body).toMatchObject({
      health: { failingSince: null },
      catchUp: { replayId: null, deliveries: { deadLettered: 0 } },
    });
    await client.patch(path, { catchUp: true });
    await client.post(`${path}/pause`, {});
    await client.post(`${path}/resume`, {});
    expect(await specs()).toMatchObject([{ missedSince: since }, { missedSince: since }]);
  });

  it('is what was given up since a time, where a time is asked for; what is older is left for the next one', async () => {
    const since = DAY_AGO();
    await failingSince(since);
    await client.post(`${path}/pause`, {});
    await client.patch(path, { status: 'enabled', catchUp: { from: since + HOUR_MS } });
    await client.post(`${path}/pause`, {});
    await client.post(`${path}/resume`, {});
    expect(await specs()).toMatchObject([
      { missedSince: since + HOUR_MS, from: { timestamp: since + HOUR_MS } },
      { missedSince: since, from: null },
    ]);
  });

  it('is nothing where nothing failed', async () => {
    await client.post(`${path}/pause`, {});
    await client.post(`${path}/resume`, {});
    const [spec] = await specs();
    expect(spec).not.toHaveProperty('missedSince');
  });
});
