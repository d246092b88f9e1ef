import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type DeliveryState, type OutcomeRecord, type SubscriptionRecord } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import { createPool, DayPartitions, HistoryWriter, readOffsets, type OutcomeToRecord } from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import type { Producer } from 'kafkajs';
import type { Pool } from 'pg';
import { AdminRig, adminSettings } from '../testing/admin-rig.js';
import type { ApiAnswer, ApiClient } from '../testing/api-client.js';
import { readFrom, testProducer } from '../testing/topics.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const DEADLINE_MS = 90_000;
const DAY_MS = 86_400_000;
const NOW = Date.now();

interface Held {
  reason: string;
  since: string;
  spans: Record<string, { from: number; to: number | null }>[];
  events: number | null;
  letGoAt: string | null;
}

let rig: AdminRig;
let client: ApiClient;
let pool: Pool;
let producer: Producer;
let written = 0;

beforeAll(async () => {
  rig = await AdminRig.start();
  ({ client } = await rig.tenant());
  pool = createPool(adminSettings(rig.database.url).database, () => undefined);
  producer = await testProducer();
});

afterAll(async () => {
  await producer.disconnect();
  await pool.end();
  await rig.stop();
});

async function made(asked: object = {}): Promise<{ id: string; path: string }> {
  const { body } = await client.post(SUBSCRIPTIONS, { url: 'https://example.com/hook', ...asked });
  return { id: String(body['id']), path: `${SUBSCRIPTIONS}/${String(body['id'])}` };
}

const post = (path: string): Promise<ApiAnswer> => client.post(path, {});

/** Once the publisher has written it. */
async function published(id: string, version: number): Promise<SubscriptionRecord> {
  return waitUntil(
    async () =>
      (await readFrom(TOPICS.subscriptions, new Map()))
        .filter(({ key }) => String(key) === id)
        .map(({ value }) => JSON.parse(String(value)) as SubscriptionRecord)
        .find((record) => record.version === version),
    { deadlineMs: DEADLINE_MS, what: `version ${version} of ${id} in the topic` },
  );
}

async function heldOf(path: string): Promise<Held | null> {
  return (await client.get(path)).body['held'] as Held | null;
}

async function row(id: string): Promise<Record<string, unknown>> {
  return (await pool.query('SELECT * FROM subscriptions WHERE id = $1', [id])).rows[0] as Record<string, unknown>;
}

async function replaysOf(id: string): Promise<Record<string, unknown>[]> {
  return (await pool.query('SELECT * FROM replays WHERE subscription_id = $1 ORDER BY created_at, id', [id])).rows;
}

/** Catch-ups of which nobody does anything. */
async function underWay(id: string, kind: 'catch-up' | 'backlog'): Promise<string> {
  const replayId = newId('rpl');
  await pool.query(
    `INSERT INTO replays (id, tenant_id, kind, subscription_id, status, spec) VALUES ($1, 'ten_1', $2, $3, 'paused', '{}')`,
    [replayId, kind, id],
  );
  return replayId;
}

async function append(partition: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ partition, value: '{}' }));
  await producer.send({ topic: TOPICS.events, acks: -1, messages });
}

/** What the recorder knows of deliveries, by state, each with its event's offset in a partition. */
async function known(id: string, states: [DeliveryState, partition: number, offset: number][]): Promise<void> {
  const partition = { topic: 'attempts', partition: 0 };
  await readOffsets(pool, [partition]);
  const outcomes = states.map(([state, eventPartition, offset], index): OutcomeToRecord => {
    const outcome: OutcomeRecord = {
      v: 1,
      tenant: 'ten_1',
      eventId: `evt_${index}`,
      type: 'a.b',
      source: { partition: eventPartition, offset, at: NOW },
      delivery: { id: `msg_${(written * 1_000 + index).toString(16).padStart(32, '0')}`, subscriptionId: id, state },
    };
    return { position: { partition: 0, offset: written, at: NOW }, outcome };
  });
  const moves = [{ ...partition, expected: written, next: written + 1 }];
  written += 1;
  const batch = { moves, events: [], outcomes };
  await new HistoryWriter(pool, new DayPartitions()).write(batch, new AbortController().signal);
}

async function refused(call: Promise<ApiAnswer>, status: number, field?: string): Promise<void> {
  const { body, ...answer } = await call;
  expect({ status: answer.status, body }).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  if (field !== undefined) expect(body['errors']).toMatchObject([{ field }]);
}

describe('a subscription that is paused', () => {
  it('holds what comes at its positions of the log, and goes on where it was paused', async () => {
    // What the log has from before the pause was taken by the version before it.
    await append(0, 1);
    const { id, path } = await made();
    await published(id, 1);
    await append(0, 1);
    expect(await heldOf(path)).toBeNull();
    const paused = await post(`${path}/pause`);
    expect(paused).toMatchObject({ status: 200, body: { status: 'paused', version: 2, catchUp: null } });
    expect(paused.body).toMatchObject({ disabledReason: null, held: { reason: 'paused' } });
    expect(paused.headers.get('etag')).toBe('"2"');
    const { holdsFrom } = await published(id, 2);
    await append(0, 7);
    const held = (await heldOf(path)) as Held;
    expect(held.spans).toHaveLength(1);
    expect(held.spans[0]?.['0']?.from).toBe(holdsFrom['0']);
    // Others write to this log as well.
    expect(held.events).toBeGreaterThanOrEqual(7);
    expect((await client.get(`${SUBSCRIPTIONS}?status=paused`)).body).toMatchObject({ items: [{ id, held: {} }] });

    const resumed = await post(`${path}/resume`);
    const catchUp = resumed.body['catchUp'] as Held['spans'][0] & { replayId: string; events: number };
    expect(resumed.body).toMatchObject({ status: 'enabled', version: 3, held: { reason: 'paused' } });
    expect(catchUp).toMatchObject({ deliveries: { held: 0, pending: 0, retrying: 0 } });
    expect(catchUp.events).toBeGreaterThanOrEqual(7);
    const record = await published(id, 3);
    expect(record).toMatchObject({
      status: 'enabled',
      epoch: 1,
      before: [{ live: false }, { live: true, version: 1 }],
    });
    expect(record).not.toHaveProperty('catchingUp');
    const [replay] = await replaysOf(id);
    const spec = { topic: TOPICS.events, from: null, to: null, subscriptionIds: [id], version: 3 };
    expect(replay).toMatchObject({ id: catchUp.replayId, kind: 'catch-up', version: 3, spec });
    expect(replay?.['to_offsets']).toEqual(record.holdsFrom);
  });

  it('stays as it is when it is paused or resumed again, and is changed only under its version', async () => {
    const { id, path } = await made();
    await refused(client.patch(path, { status: 'paused' }, { 'if-match': '"7"' }), 412);
    expect((await post(`${path}/resume`)).body).toMatchObject({ status: 'enabled', version: 1, catchUp: null });
    await post(`${path}/pause`);
    expect((await post(`${path}/pause`)).body).toMatchObject({ status: 'paused', version: 2 });
    expect(await replaysOf(id)).toEqual([]);
    for (const step of ['pause', 'resume']) {
      const url = `${rig.role.url}${path}/${step}`;
      await expect(fetch(url, { method: 'POST' })).resolves.toMatchObject({ status: 401 });
    }
  });

  it('is nothing that another tenant, or nobody, has', async () => {
    const { path } = await made();
    const other = await rig.tenant();
    for (const step of ['pause', 'resume']) {
      await refused(other.client.post(`${path}/${step}`, {}), 404);
      await refused(post(`${SUBSCRIPTIONS}/${newId('sub')}/${step}`), 404);
      await refused(post(`${SUBSCRIPTIONS}/sub_1/${step}`), 404);
    }
    expect((await client.get(path)).body).toMatchObject({ status: 'enabled', version: 1 });
  });

  it('says when the log lets go of the first of what it holds', async () => {
    const { id, path } = await made();
    await post(`${path}/pause`);
    const { holdsFrom } = await published(id, 2);
    await append(1, 2);
    const from = holdsFrom['1'] as number;
    expect(await heldOf(path)).toMatchObject({ letGoAt: null });
    const client = await pool.connect();
    await new DayPartitions().ensure(client, [NOW]);
    client.release();
    await pool.query(
      `INSERT INTO events (partition, "offset", appended_at, tenant_id, event_id, type, time, payload, size)
       SELECT 1, o, $2, 'ten_1', 'e', 'a.b', '', '', 0 FROM unnest($1::int8[]) AS o`,
      [[from - 1, from, from + 1], new Date(NOW)],
    );
    await pool.query('UPDATE events SET appended_at = $2 WHERE "offset" = $1', [from - 1, new Date(NOW - 1)]);
    const letGoAt = new Date(NOW + 7 * DAY_MS).toISOString();
    expect(await heldOf(path)).toMatchObject({ letGoAt });
  });
});

describe('a subscription that is enabled again', () => {
  it('without a catch-up keeps what is held, and says what a catch-up would send', async () => {
    const { id, path } = await made();
    await client.patch(path, { status: 'disabled' });
    const { holdsFrom } = await published(id, 2);
    await append(2, 3);
    await known(id, [
      ['held', 2, 1],
      ['pending', 2, 2],
      ['retrying', 0, 0],
      ['retrying', 2, 5],
      ['delivered', 1, 0],
      ['dead-lettered', 1, 0],
    ]);
    const { body } = await client.patch(path, { status: 'enabled' });
    expect(body).toMatchObject({ status: 'enabled', version: 3, held: { reason: 'owner' } });
    const catchUp = body['catchUp'] as { partitions: Record<string, { from: number }>; events: number };
    expect(catchUp).toMatchObject({ replayId: null, deliveries: { held: 1, pending: 1, retrying: 2 } });
    expect(catchUp.events).toBeGreaterThanOrEqual(3);
    const low = (offset: number, partition: string): number => Math.min(offset, holdsFrom[partition] as number);
    expect(catchUp.partitions['2']?.from).toBe(low(1, '2'));
    expect(catchUp.partitions['0']?.from).toBe(low(0, '0'));
    expect(catchUp.partitions['1']?.from).toBe(holdsFrom['1']);
    expect(await published(id, 3)).not.toHaveProperty('epoch');
    expect(await replaysOf(id)).toEqual([]);
    // The span is closed now, and stays.
    const closed = (await heldOf(path)) as Held;
    expect(closed.reason).toBe('owner');
    expect(closed.spans[0]?.['2']?.to).toBeGreaterThanOrEqual((holdsFrom['2'] as number) + 3);

    const later = await client.patch(path, { catchUp: true });
    expect(later.body).toMatchObject({ version: 4, catchUp: { replayId: expect.stringContaining('rpl_') } });
    expect(await row(id)).toMatchObject({ epoch: 1, status: 'enabled' });
  });

  it('with a catch-up since a time, in order: its live deliveries wait for that', async () => {
    const { id, path } = await made({ ordering: 'key' });
    await client.patch(path, { status: 'disabled' });
    await published(id, 2);
    const from = new Date(NOW - DAY_MS).toISOString();
    const { body } = await client.patch(path, { status: 'enabled', catchUp: { from } });
    const { replayId, partitions } = body['catchUp'] as { replayId: string; partitions: Record<string, unknown> };
    expect(Object.keys(partitions).sort()).toEqual(['0', '1', '2']);
    expect(await published(id, 3)).toMatchObject({ epoch: 1, catchingUp: replayId });
    expect((await replaysOf(id))[0]).toMatchObject({ id: replayId, spec: { from: { timestamp: NOW - DAY_MS } } });
  });

  it('is refused a second catch-up while one is under way, until a pause ends that', async () => {
    const { id, path } = await made({ ordering: 'key' });
    const first = await underWay(id, 'catch-up');
    await pool.query('UPDATE subscriptions SET catching_up = $2 WHERE id = $1', [id, first]);
    const second = await client.patch(path, { status: 'enabled', catchUp: true });
    expect(second).toMatchObject({ status: 409, body: { type: expect.stringContaining('catch-up-under-way') } });
    expect(second.body['detail']).toContain(first);
    expect(await row(id)).toMatchObject({ version: 1, epoch: 0, catching_up: first });

    await post(`${path}/pause`);
    expect(await row(id)).toMatchObject({ status: 'paused', catching_up: null });
    expect(await replaysOf(id)).toMatchObject([{ id: first, status: 'cancelled', finished_at: expect.anything() }]);
    const resumed = await post(`${path}/resume`);
    const { replayId } = resumed.body['catchUp'] as { replayId: string };
    expect(await row(id)).toMatchObject({ status: 'enabled', epoch: 1, catching_up: replayId });
  });

  it('ends the catch-up of a backlog with its own, and those of a subscription that is deleted end, too', async () => {
    const { id, path } = await made();
    const backlog = await underWay(id, 'backlog');
    const { body } = await client.patch(path, { catchUp: true });
    const { replayId } = body['catchUp'] as { replayId: string };
    const states = async () => new Map((await replaysOf(id)).map((each) => [each['id'], each['status']]));
    expect((await states()).get(backlog)).toBe('cancelled');
    expect((await states()).size).toBe(2);
    await pool.query("UPDATE replays SET status = 'paused', finished_at = NULL WHERE id = $1", [replayId]);
    expect((await client.delete(path)).status).toBe(204);
    expect((await states()).get(replayId)).toBe('cancelled');
  });

  it('is held back no longer; another change does not let it go on', async () => {
    const { id, path } = await made();
    await pool.query('UPDATE subscriptions SET held_back = true WHERE id = $1', [id]);
    const changed = await client.patch(path, { description: 'too slow', status: 'enabled' });
    expect(changed.body).toMatchObject({ status: 'enabled', held: { reason: 'backlog' } });
    expect(await published(id, 2)).toMatchObject({ status: 'enabled', heldBack: true });
    await post(`${path}/pause`);
    expect(await heldOf(path)).toMatchObject({ reason: 'paused' });
    await client.patch(path, { status: 'enabled' });
    expect(await published(id, 4)).not.toHaveProperty('heldBack');
  });
});

describe('a catch-up that can not be', () => {
  it.each([
    ['of one that stays paused', { catchUp: true }, 'catchUp'],
    ['of one that is paused by it', { status: 'paused', catchUp: true }, 'catchUp'],
    ['of one that is disabled by it', { status: 'disabled', catchUp: { from: 0 } }, 'catchUp'],
    ['from the future', { status: 'enabled', catchUp: { from: NOW + DAY_MS } }, 'catchUp.from'],
    ['from no time', { status: 'enabled', catchUp: { from: 'yesterday' } }, 'catchUp.from'],
    ['from a time without a zone', { status: 'enabled', catchUp: { from: '2026-01-01T00:00:00' } }, 'catchUp.from'],
    ['from a time before all', { status: 'enabled', catchUp: { from: -1 } }, 'catchUp.from'],
    ['from nowhere', { status: 'enabled', catchUp: {} }, 'catchUp'],
    ['to somewhere', { status: 'enabled', catchUp: { from: 0, to: 1 } }, 'catchUp.to'],
    ['in words', { status: 'enabled', catchUp: 'yes' }, 'catchUp'],
    ['of nothing', { status: 'enabled', catchUp: null }, 'catchUp'],
  ])('%s', async (_what, patch, field) => {
    const { id, path } = await made();
    await post(`${path}/pause`);
    await refused(client.patch(path, patch), 400, field);
    expect(await row(id)).toMatchObject({ status: 'paused', version: 2, epoch: 0 });
    expect(await replaysOf(id)).toEqual([]);
  });

  it('is none where it says false', async () => {
    const { id, path } = await made();
    expect((await client.patch(path, { status: 'paused', catchUp: false })).body).toMatchObject({ status: 'paused' });
    expect(await replaysOf(id)).toEqual([]);
  });
});
