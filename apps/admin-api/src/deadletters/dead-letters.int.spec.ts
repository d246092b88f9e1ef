import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeHeldRangeHeaders, encodeRedriven, encodeSourceDeadLetter, TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import { AdminRig } from '../testing/admin-rig.js';
import type { ApiAnswer, ApiClient } from '../testing/api-client.js';
import { expunge, toldOf } from '../testing/ends.js';
import { deliveryIdsOf, ReplayRig, type PublishedEvent } from '../testing/replay-rig.js';

const FOUR = ['a.b', 'a.b', 'c.d', 'c.d'];
/** Small, so that a request does not take all. */
const AT_ONCE = 6;

let rig: ReplayRig;
let admin: AdminRig;

beforeAll(async () => {
  rig = await ReplayRig.start();
  admin = await AdminRig.start({
    DATABASE_URL: rig.databaseUrl,
    HOOKLINE_MAX_OPEN_REPLAYS: '100',
    HOOKLINE_DEAD_LETTERS_AT_ONCE: String(AT_ONCE),
  });
});

afterAll(async () => {
  await admin.stop();
  await rig.stop();
});

interface Subscriber {
  id: string;
  tenant: string;
  client: ApiClient;
  keyId: string;
}

async function subscriber(): Promise<Subscriber> {
  const { id: tenant, client, keyId } = await admin.tenant();
  const { id } = await rig.subscribe(['*'], tenant);
  return { id, tenant, client, keyId };
}

/** Dead letters of these events, with a reason. */
async function bury(events: readonly PublishedEvent[], subscription: string, reason = 'expired'): Promise<void> {
  await rig.record(events, subscription, 'dead-lettered');
  await rig.database.query('UPDATE deliveries SET reason = $2 WHERE subscription_id = $1 AND event_id = ANY($3)', [
    subscription,
    reason,
    events.map(({ id }) => id),
  ]);
}

async function replayed(client: ApiClient, id: unknown): Promise<Record<string, unknown>> {
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

const idsIn = ({ body }: ApiAnswer): string[] => (body['items'] as { id: string }[]).map(({ id }) => id).sort();
const replayIn = ({ body }: ApiAnswer): string => (body['replay'] as { id: string }).id;
const LEFT_OUT = { discarded: 0, underWay: 0, notEnabled: 0, gone: 0, expunged: 0 };

describe('dead letters', () => {
  it('are found by reason, subscription, type and time, a page at a time, and counted by reason', async () => {
    const { id, tenant, client } = await subscriber();
    const { id: other } = await rig.subscribe(['*'], tenant);
    const [expired, gone] = [await rig.publish(tenant, FOUR), await rig.publish(tenant, FOUR)];
    await bury(expired, id);
    await bury(gone, other, 'endpoint-gone');
    await rig.record(gone, id, 'delivered');
    const find = (query = '') => client.get(`/v1/dead-letters${query}`);
    expect(idsIn(await find())).toEqual([...deliveryIdsOf(expired, id), ...deliveryIdsOf(gone, other)].sort());
    expect(idsIn(await find('?reason=expired'))).toEqual(deliveryIdsOf(expired, id));
    expect(idsIn(await find(`?subscriptionId=${other}&type=a.*`))).toEqual(
      deliveryIdsOf(
        gone.filter(({ type }) => type === 'a.b'),
        other,
      ),
    );
    expect(idsIn(await find(`?to=${Math.min(...expired.map(({ at }) => at))}`))).toEqual([]);
    expect((await find('?limit=1')).body).toMatchObject({
      items: [
        { state: 'dead-lettered', reason: expect.any(String), discarded: null, event: { id: expect.any(String) } },
      ],
    });
    const seen: string[] = [];
    for (let query: string | null = '?limit=3'; query !== null;) {
      const page: ApiAnswer = await find(query);
      seen.push(...idsIn(page));
      query = page.body['nextCursor'] === null ? null : `?limit=3&cursor=${String(page.body['nextCursor'])}`;
    }
    expect(seen.sort()).toEqual(idsIn(await find()));
    const times = { oldestAt: expect.any(String), newestAt: expect.any(String), discarded: 0, count: 4 };
    expect((await client.get('/v1/dead-letters/summary')).body).toEqual({
      groups: ['endpoint-gone', 'expired'].map((reason) => ({ reason, subscriptionId: null, ...times })),
      records: [],
    });
    expect((await client.get(`/v1/dead-letters/summary?groupBy=subscription&subscriptionId=${id}`)).body).toMatchObject(
      {
        groups: [{ reason: 'expired', subscriptionId: id, count: 4 }],
      },
    );
    expect(idsIn(await (await subscriber()).client.get(`/v1/dead-letters?subscriptionId=${id}`))).toEqual([]);
    expect((await (await subscriber()).client.get(`/v1/dead-letters?tenantId=${tenant}`)).status).toBe(404);
  });

  it('are redriven by filter: what arrives is what was selected, by id, and asked twice each comes once', async () => {
    const { id, tenant, client, keyId } = await subscriber();
    const { id: paused } = await rig.subscribe(['*'], tenant);
    const { id: other } = await rig.subscribe(['*'], tenant);
    const events = await rig.publish(tenant, [...FOUR, ...FOUR]);
    const wanted = events.filter(({ type }) => type === 'a.b');
    const lost = { ...(wanted[0] as PublishedEvent), id: 'lost', offset: -1 };
    for (const subscription of [id, paused, other]) await bury(events, subscription);
    await bury([lost], id);
    await rig.database.query(`UPDATE subscriptions SET status = 'paused' WHERE id = $1`, [paused]);
    // What it matches now does not matter.
    await rig.database.query(`UPDATE subscriptions SET types = '{x.y}' WHERE id = $1`, [id]);
    const ask = (more: object = {}) =>
      client.post('/v1/dead-letters/redrive', { types: ['a.*'], subscriptionIds: [id, paused], ...more });

    const counted = { count: wanted.length, more: false, leftOut: { ...LEFT_OUT, notEnabled: wanted.length, gone: 1 } };
    expect(await ask({ dryRun: true })).toMatchObject({
      status: 202,
      body: { ...counted, auditId: null, replay: null },
    });
    const made = await ask({ note: 'the endpoint is well again' });
    expect(made).toMatchObject({ status: 202, body: { ...counted, replay: { subscriptions: 'chosen' } } });
    const again = await ask();
    const underWay = { ...counted.leftOut, underWay: wanted.length };
    expect(again.body).toEqual({ count: 0, more: false, leftOut: underWay, auditId: null, replay: null });

    expect(await replayed(client, replayIn(made))).toMatchObject({ sent: wanted.length, matched: wanted.length });
    expect(await arrived(id, replayIn(made))).toEqual(deliveryIdsOf(wanted, id));
    expect(await arrived(paused, replayIn(made))).toEqual([]);
    expect(await arrived(other, replayIn(made))).toEqual([]);
    expect((await ask()).body).toMatchObject({ count: 0, leftOut: underWay });
    const { body } = await client.get('/v1/audit');
    expect(body['items']).toEqual([
      {
        id: made.body['auditId'],
        tenantId: tenant,
        createdAt: expect.any(String),
        actor: keyId,
        action: 'dead-letters.redrive',
        request: { types: ['a.*'], subscriptionIds: [id, paused] },
        affected: wanted.length,
        note: 'the endpoint is well again',
        replayId: replayIn(made),
      },
    ]);

    // One that has failed once more is a dead letter again.
    const [failed] = wanted as [PublishedEvent];
    await rig.database.query('UPDATE deliveries SET updated_at = now() WHERE subscription_id = $1 AND event_id = $2', [
      id,
      failed.id,
    ]);
    const more = await ask();
    await replayed(client, replayIn(more));
    expect(await arrived(id, replayIn(more))).toEqual(deliveryIdsOf([failed], id));
  });

  it('of events that were expunged are not redriven, and the answer says how many; one that is expunged after it was picked ends so', async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, FOUR);
    const [before, ...others] = events as [PublishedEvent, ...PublishedEvent[]];
    await bury(events, id);
    await expunge(rig, [before]);
    const ask = { deliveryIds: deliveryIdsOf([before], id) };
    expect(await client.post('/v1/dead-letters/redrive', ask)).toMatchObject({
      status: 202,
      body: { count: 0, leftOut: { ...LEFT_OUT, expunged: 1 }, replay: null },
    });
    // Picked, and paused before it has begun.
    const replay = newId('rpl');
    const spec = { topic: TOPICS.events, from: {}, subscriptions: 'chosen', outcome: 'failed' };
    const ranges = Object.fromEntries(
      others.map(({ partition }) => [partition, { from: 0, next: 0, to: 1_000_000_000 }]),
    );
    await rig.database.query(
      `INSERT INTO replays (id, tenant_id, status, spec, partitions) VALUES ($1, $2, 'paused', $3, $4)`,
      [replay, tenant, JSON.stringify(spec), JSON.stringify(ranges)],
    );
    await rig.database.query(
      `INSERT INTO replay_choices (replay_id, event_partition, event_offset, subscription_id, delivery_id, event_at, letter_at)
       SELECT $1, event_partition, event_offset, subscription_id, delivery_id, event_at, updated_at
         FROM deliveries WHERE subscription_id = $2 AND event_id = ANY($3)`,
      [replay, id, others.map((event) => event.id)],
    );
    const [after, ...brought] = others as [PublishedEvent, ...PublishedEvent[]];
    await expunge(rig, [after]);
    await client.post(`/v1/replays/${replay}/resume`, {});
    expect(await replayed(client, replay)).toMatchObject({ sent: brought.length, expunged: 1 });
    expect(await arrived(id, replay)).toEqual(deliveryIdsOf(brought, id));
    const [deliveryId] = deliveryIdsOf([after], id);
    expect(await toldOf(id)).toEqual([{ deliveryId, state: 'dead-lettered', reason: 'expunged' }]);
  });

  it('are redriven a bounded number at a time, until there are none', async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, [...FOUR, ...FOUR, ...FOUR, ...FOUR]);
    await bury(events, id);
    const counts: unknown[] = [];
    const all: string[] = [];
    for (let more = true; more;) {
      const made = await client.post('/v1/dead-letters/redrive', {});
      await replayed(client, replayIn(made));
      all.push(...(await arrived(id, replayIn(made))));
      counts.push(made.body['count']);
      more = made.body['more'] === true;
    }
    expect(counts).toEqual([AT_ONCE, AT_ONCE, 4]);
    expect(all.sort()).toEqual(deliveryIdsOf(events, id));
  });

  it('of a redrive that was cancelled can be redriven again, but for those that it had handed over', async () => {
    const { id, tenant, client } = await subscriber();
    const events = await rig.publish(tenant, FOUR);
    await bury(events, id);
    // So slow that the second is due minutes after the first: a rate of 0.1 lets the others wait.
    const slow = await client.post('/v1/dead-letters/redrive', { rate: 0.1 });
    await rig.until('the first to be handed over', async () => {
      const { body } = await client.get(`/v1/replays/${replayIn(slow)}`);
      return body['sent'] !== 0;
    });
    expect((await client.delete(`/v1/replays/${replayIn(slow)}`)).status).toBe(204);
    const handedOver = await rig.until('the cancelled one to be left alone', async () => {
      const { sent, status } = await rig.replay(replayIn(slow));
      const ids = await arrived(id, replayIn(slow));
      return status === 'cancelled' && Number(sent) === ids.length && ids;
    });
    const rest = await client.post('/v1/dead-letters/redrive', {});
    await replayed(client, replayIn(rest));
    expect([...handedOver, ...(await arrived(id, replayIn(rest)))].sort()).toEqual(deliveryIdsOf(events, id));
  });

  it('that were discarded come with no redrive and no replay by outcome, and an audit entry says who did it', async () => {
    const { id, tenant, client } = await subscriber();
    const [events, kept] = [await rig.publish(tenant, FOUR), await rig.publish(tenant, ['c.d'])];
    await bury([...events, ...kept], id, 'endpoint-gone');
    await rig.decide([...events, ...kept], [id]);
    const deliveryIds = deliveryIdsOf(events, id);
    const ask = { tenantId: tenant, deliveryIds, note: 'test data' };
    expect(await admin.operator.post('/v1/dead-letters/discard', { ...ask, dryRun: true })).toMatchObject({
      status: 200,
      body: { count: 4, auditId: null },
    });
    const done = await admin.operator.post('/v1/dead-letters/discard', ask);
    expect(done.body).toEqual({ count: 4, more: false, leftOut: LEFT_OUT, auditId: expect.any(String) });
    expect((await admin.operator.post('/v1/dead-letters/discard', ask)).body).toMatchObject({
      count: 0,
      leftOut: { discarded: 4 },
    });
    expect((await client.get('/v1/audit')).body).toMatchObject({
      items: [{ actor: 'operator', action: 'dead-letters.discard', affected: 4, note: 'test data', replayId: null }],
    });
    expect(idsIn(await client.get('/v1/dead-letters'))).toEqual(deliveryIdsOf(kept, id));
    const discarded = await client.get('/v1/dead-letters?discarded=true');
    expect(idsIn(discarded)).toEqual(deliveryIds);
    expect(discarded.body).toMatchObject({
      items: [{ discarded: { by: 'operator', auditId: done.body['auditId'] } }, {}, {}, {}],
    });
    expect((await client.get('/v1/dead-letters/summary')).body).toMatchObject({ groups: [{ count: 5, discarded: 4 }] });

    const made = await client.post('/v1/dead-letters/redrive', {});
    expect(made.body).toMatchObject({ count: 1, leftOut: { discarded: 4 } });
    await replayed(client, replayIn(made));
    expect(await arrived(id, replayIn(made))).toEqual(deliveryIdsOf(kept, id));
    const from = { timestamp: Math.min(...events.map(({ at }) => at)) };
    for (const [outcome, expected] of [
      ['failed', kept],
      ['undelivered', kept],
      ['all', [...events, ...kept]],
    ] as const) {
      const replay = await client.post('/v1/replays', { topic: TOPICS.events, from, outcome });
      await replayed(client, replay.body['id']);
      expect({ outcome, ids: await arrived(id, replay.body['id']) }).toEqual({
        outcome,
        ids: deliveryIdsOf(expected, id),
      });
    }
  });

  it('that are no delivery are listed with their bounds: ranges, records of sources, records that can not be read', async () => {
    const { id, tenant, client } = await subscriber();
    const range = { tenant, subscriptionId: id, partition: 1, from: 10, to: 20, since: '2026-11-20T00:00:00.000Z' };
    const origin = {
      source: 'invoices',
      tenant,
      topic: 'billing',
      partition: 3,
      offset: 1_017,
      timestamp: 1,
      key: null,
    };
    const source = encodeSourceDeadLetter({ origin, detail: 'no type', headers: { own: 'header' } });
    const stood = `hookline.deliveries:0:${Date.now()}`;
    const held = { key: id, headers: encodeHeldRangeHeaders(range, 'let-go') };
    const records = [
      held,
      // After a crash it is written again.
      held,
      source,
      encodeRedriven(origin),
      { key: null, headers: { reason: 'unreadable', detail: 'header event is missing', origin: stood } },
    ];
    for (const record of records) await rig.pump.produce({ topic: TOPICS.deadLetters, value: null, ...record });
    const itsKinds = async (): Promise<unknown[]> => {
      const { body } = await client.get('/v1/dead-letters/records');
      return body['items'] as unknown[];
    };
    const items = await rig.until('both to be listed, the one as redriven', async () => {
      const found = (await itsKinds()) as { redrivenAt: string | null }[];
      return found.length === 2 && found.some(({ redrivenAt }) => redrivenAt !== null) && found;
    });
    const place = {
      appendedAt: expect.any(String),
      partition: expect.any(Number),
      offset: expect.any(Number),
      tenantId: tenant,
      discarded: null,
    };
    const { partition, from, to, since } = range;
    expect(items).toEqual(
      expect.arrayContaining([
        {
          ...place,
          kind: 'range',
          subscriptionId: id,
          source: null,
          reason: 'let-go',
          range: { partition, from, to, since },
          origin: null,
          detail: null,
          redrivenAt: null,
        },
        {
          ...place,
          kind: 'source',
          subscriptionId: null,
          source: 'invoices',
          reason: 'unreadable',
          range: null,
          origin: 'billing:3:1017',
          detail: 'no type',
          redrivenAt: expect.any(String),
        },
      ]),
    );
    expect((await client.get('/v1/dead-letters/summary')).body).toMatchObject({
      groups: [],
      records: [
        { kind: 'range', reason: 'let-go', count: 1 },
        { kind: 'source', reason: 'unreadable', count: 1 },
      ],
    });
    const all = await rig.until("the record that is nobody's", async () => {
      const { body } = await admin.operator.get('/v1/dead-letters/records?kind=record&limit=200');
      return (body['items'] as { origin: string }[]).find((each) => each.origin === stood);
    });
    expect(all).toMatchObject({ tenantId: null, detail: 'header event is missing', reason: 'unreadable' });
    const first = await client.get('/v1/dead-letters/records?limit=1');
    const second = await client.get(`/v1/dead-letters/records?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(
      new Set([first, second].flatMap(({ body }) => (body['items'] as { kind: string }[]).map(({ kind }) => kind))),
    ).toEqual(new Set(['range', 'source']));
    expect(second.body['nextCursor']).toBeNull();
  });

  it('that are no delivery are discarded by filter, with an entry in the audit trail, and are not counted any more', async () => {
    const { id, tenant, client } = await subscriber();
    const other = await subscriber();
    const since = '2026-11-20T00:00:00.000Z';
    const whose = [[id, tenant], [id, tenant], [other.id, other.tenant]] as const; // prettier-ignore
    for (const [from, [subscriptionId, its]] of whose.entries()) {
      const range = { subscriptionId, tenant: its, partition: 1, from, to: from + 1, since };
      const headers = encodeHeldRangeHeaders(range, 'let-go');
      await rig.pump.produce({ topic: TOPICS.deadLetters, key: subscriptionId, value: null, headers });
    }
    const listed = async (of: ApiClient, query = ''): Promise<object[]> =>
      (await of.get(`/v1/dead-letters/records${query}`)).body['items'] as object[];
    await rig.until('all to be listed', async () => {
      return (await listed(client)).length === 2 && (await listed(other.client)).length === 1;
    });
    const discard = (body: object): ReturnType<ApiClient['post']> =>
      client.post('/v1/dead-letters/records/discard', body);
    expect((await discard({ kind: 'source' })).body).toMatchObject({ count: 0, more: false });
    expect((await discard({ subscriptionId: other.id })).body).toMatchObject({ count: 0 });
    expect((await discard({ to: since })).body).toMatchObject({ count: 0 });
    const { status, body } = await discard({ kind: 'range', subscriptionId: id, note: 'known' });
    expect({ status, body }).toMatchObject({ status: 200, body: { count: 2, more: false } });
    expect(await listed(client)).toEqual([]);
    const discarded = { auditId: body['auditId'], at: expect.any(String), by: expect.any(String) };
    expect(await listed(client, '?discarded=true')).toMatchObject([{ discarded }, { discarded }]);
    expect((await client.get('/v1/dead-letters/summary')).body).toMatchObject({ records: [] });
    expect(await listed(other.client)).toHaveLength(1);
    const entry = { id: body['auditId'], action: 'dead-letters.discard-records', affected: 2, note: 'known' };
    expect(((await client.get('/v1/audit')).body['items'] as object[])[0]).toMatchObject(entry);
    for (const bad of [{ kind: 'record' }, { from: 2, to: 1 }, { unknown: 1 }])
      expect((await discard(bad)).status).toBe(400);
    expect((await client.post('/v1/dead-letters/records/discard', { tenantId: other.tenant })).status).toBe(404);
  });

  it('that PostgreSQL refuses do not hold up those behind them', async () => {
    await rig.database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not this' USING ERRCODE = '22000';
      END $$;
      CREATE TRIGGER refuse_detail BEFORE INSERT ON dead_letter_records FOR EACH ROW
        WHEN (new.said->>'detail' = 'refused') EXECUTE FUNCTION refuse();
      CREATE TRIGGER refuse_reason BEFORE INSERT ON dead_letter_records FOR EACH ROW
        WHEN (new.reason = 'refused') EXECUTE FUNCTION refuse()`);
    const [first, last] = [`a:0:${Date.now()}`, `b:0:${Date.now()}`];
    const unreadable = { reason: 'unreadable', detail: 'as it is' };
    const letters = [
      { ...unreadable, origin: 'z:0:0', detail: 'a \0 b' },
      { ...unreadable, origin: first, detail: 'refused' },
      { ...unreadable, origin: 'z:0:1', reason: 'refused' },
      { ...unreadable, origin: last },
    ];
    // One batch of one partition: what is behind waits for what is before.
    await Promise.all(
      letters.map((headers) => rig.pump.produce({ topic: TOPICS.deadLetters, partition: 0, value: null, headers })),
    );
    const records = await rig.until('the last to be listed', async () => {
      const { body } = await admin.operator.get('/v1/dead-letters/records?kind=record&limit=200');
      const items = body['items'] as { origin: string | null; detail: string | null }[];
      return items.some(({ origin }) => origin === last) && items;
    });
    expect(records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ origin: 'z:0:0', detail: 'a  b' }),
        expect.objectContaining({ origin: null, detail: null, reason: 'unreadable' }),
        expect.objectContaining({ origin: last, detail: 'as it is' }),
      ]),
    );
    expect(records.filter(({ origin }) => origin === first || origin === 'z:0:1')).toEqual([]);
  });

  it('are not asked for in a way that makes no sense', async () => {
    const { client } = await subscriber();
    const cases: [Promise<ApiAnswer>, string][] = [
      [client.get('/v1/dead-letters?reason=lost'), 'reason'],
      [client.get('/v1/dead-letters?cursor=abc'), 'cursor'],
      [client.get('/v1/dead-letters?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z'), 'from'],
      [client.get('/v1/dead-letters?from=yesterday'), 'from'],
      [client.get('/v1/dead-letters?type=a..b'), 'type'],
      [client.get('/v1/dead-letters/records?cursor=abc'), 'cursor'],
      [client.get('/v1/dead-letters/records?kind=other'), 'kind'],
      [client.get('/v1/dead-letters/summary?groupBy=type'), 'groupBy'],
      [client.get('/v1/audit?cursor=abc'), 'cursor'],
      [client.post('/v1/dead-letters/redrive', { rate: 0 }), 'rate'],
      [client.post('/v1/dead-letters/redrive', { from: 2, to: 1 }), 'from'],
      [client.post('/v1/dead-letters/redrive', { deliveryIds: ['msg_1'] }), 'deliveryIds[0]'],
      [client.post('/v1/dead-letters/discard', { reasons: [] }), 'reasons'],
      [client.post('/v1/dead-letters/discard', { note: 'a\0' }), 'note'],
      [client.post('/v1/dead-letters/discard', { all: true }), 'all'],
      [admin.operator.post('/v1/dead-letters/discard', {}), 'tenantId'],
    ];
    for (const [call, field] of cases) {
      const { status, body } = await call;
      expect({ field, status, body }).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    }
    const other = await subscriber();
    expect((await client.post('/v1/dead-letters/discard', { tenantId: other.tenant })).status).toBe(404);
    expect((await client.get(`/v1/audit?tenantId=${other.tenant}`)).status).toBe(404);
    // What is no id finds nothing.
    expect((await client.post('/v1/dead-letters/discard', { subscriptionIds: ['a\0'] })).body).toMatchObject({
      count: 0,
    });
    expect((await client.get('/v1/dead-letters?subscriptionId=%00')).body).toMatchObject({ items: [] });
    expect((await client.get('/v1/dead-letters/records?subscriptionId=%00')).body).toMatchObject({ items: [] });
    expect((await client.get('/v1/dead-letters/summary?subscriptionId=%00')).body).toEqual({ groups: [], records: [] });
  });
});
