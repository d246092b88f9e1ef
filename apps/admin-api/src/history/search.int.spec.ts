import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { deliveryIdOf, newId } from '@hookline/domain';
import {
  AttemptSearch,
  createPool,
  DayPartitions,
  HistoryWriter,
  type AttemptFilter,
  type EventToRecord,
  type OutcomeToRecord,
} from '@hookline/persistence';
import { systemClock } from '@hookline/platform';
import type { Pool } from 'pg';
import { AdminRig, adminSettings } from '../testing/admin-rig.js';
import type { ApiAnswer, ApiClient } from '../testing/api-client.js';

/** Events of each of three partitions, of which every tenth is the tenant's. */
const EACH = 1_000;
const AT = Date.now() - 7_200_000;
const DAYS_AGO = AT - 3 * 86_400_000;

/** Events of which there are two attempts: the second one failed for want of an answer, or came much later. */
const TWICE = 'evt-0-500';
const RETRIED = 'evt-0-0';
const RETRIED_AFTER_MS = 5 * 3_600_000;

interface Item {
  id: string;
  appendedAt: string;
  matched: string[] | null;
}

let rig: AdminRig;
let pool: Pool;
let tenant: { id: string; client: ApiClient };
let one: string;
let its: EventToRecord[];

function eventAt(partition: number, offset: number, at: number, of: string): EventToRecord {
  const type = offset % 20 === 0 ? 'order.created' : 'invoice.paid';
  const envelope = {
    tenant: of,
    id: `evt-${partition}-${offset}`,
    type,
    time: '2026-11-20T12:00:00Z',
    key: `k${offset % 3}`,
  };
  return { position: { partition, offset, at }, envelope, payload: Buffer.from('{}') };
}

function outcomeOf(
  { position, envelope }: EventToRecord,
  delivery: OutcomeToRecord['outcome']['delivery'],
): OutcomeToRecord {
  const { tenant: of, id: eventId, type } = envelope;
  const matched = delivery === undefined ? [] : [delivery.subscriptionId];
  const outcome = {
    v: 1 as const,
    tenant: of,
    eventId,
    type,
    source: position,
    matched,
    ...(delivery && { delivery }),
  };
  return { position: { ...position, at: position.at + 5 }, outcome };
}

beforeAll(async () => {
  rig = await AdminRig.start({ HOOKLINE_SEARCH_ROWS: '1000' });
  pool = createPool(adminSettings(rig.database.url).database, () => undefined);
  tenant = await rig.tenant();
  const made = await tenant.client.post('/v1/webhooks/subscriptions', { url: 'https://example.com/' });
  one = String(made.body['id']);
  const other = newId('ten');
  const events = [0, 1, 2].flatMap((partition) =>
    Array.from({ length: EACH }, (_, offset) => {
      // The first ones are of days ago; partition 2 has had nothing for a while.
      const at = offset < 20 ? DAYS_AGO + offset : AT + offset * 10 - (partition === 2 ? 600_000 : 0);
      return eventAt(partition, offset, at, offset % 10 === 0 ? tenant.id : other);
    }),
  );
  its = events.filter(({ envelope }) => envelope.tenant === tenant.id);
  const outcomes = its.map((event) => {
    if (event.envelope.type !== 'order.created') return outcomeOf(event, undefined);
    const status = event.position.partition === 0 ? 503 : 200;
    const attempt = { id: newId('evt'), number: 1, at: event.position.at, durationMs: 3, status };
    const id = deliveryIdOf(event.envelope, event.position, one);
    return outcomeOf(event, { id, subscriptionId: one, state: status === 200 ? 'delivered' : 'retrying', attempt });
  });
  const again = its.flatMap((event) => {
    const { id } = event.envelope;
    if (id !== TWICE && id !== RETRIED) return [];
    const at = event.position.at + (id === TWICE ? 1_000 : RETRIED_AFTER_MS);
    const answer = id === TWICE ? { error: 'timeout' } : { status: 503 };
    const attempt = { id: newId('evt'), number: 2, at, durationMs: 3, ...answer };
    const delivery = deliveryIdOf(event.envelope, event.position, one);
    const told = outcomeOf(event, { id: delivery, subscriptionId: one, state: 'retrying', attempt });
    const record = { ...told, position: { partition: 0, offset: 10_000 + event.position.offset, at } };
    // The log may have it twice.
    return [record, { ...record, position: { ...record.position, offset: record.position.offset + 1 } }];
  });
  await new HistoryWriter(pool, new DayPartitions()).write(
    { moves: [], events, outcomes: [...outcomes, ...again] },
    new AbortController().signal,
  );
  await pool.query(`INSERT INTO recorder_offsets SELECT $1, p, $2 FROM generate_series(0, 2) AS p`, [
    TOPICS.events,
    EACH,
  ]);
});

afterAll(async () => {
  await pool.end();
  await rig.stop();
});

const get = (path: string): Promise<ApiAnswer> => tenant.client.get(path);
const itemsOf = ({ body }: ApiAnswer): Item[] => body['items'] as Item[];

/** Every page of a list. */
async function all(path: string): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  for (let pages = 1, cursor = ''; ; pages += 1) {
    const answer = await get(`${path}${cursor}`);
    expect(answer.status).toBe(200);
    items.push(...itemsOf(answer));
    const next = answer.body['nextCursor'];
    if (next === null) return { items, pages };
    cursor = `&cursor=${String(next)}`;
  }
}

const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id).sort();
const idsAmong = (wanted: (event: EventToRecord) => boolean): string[] =>
  its
    .filter(wanted)
    .map(({ envelope }) => envelope.id)
    .sort();
const isRecent = ({ position }: EventToRecord): boolean => position.at >= AT - 600_000;

describe('events', () => {
  it('are found newest first, over pages that look through a bounded part of the history, each once', async () => {
    const { items, pages } = await all('/v1/events?limit=50');
    expect(idsOf(items)).toEqual(idsAmong(isRecent));
    const times = items.map(({ appendedAt }) => Date.parse(appendedAt));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(pages).toBeGreaterThan(5);
    expect(items.every(({ matched }) => matched !== null)).toBe(true);
  });

  it('are found by time, type, key and id', async () => {
    const old = await all(`/v1/events?limit=200&from=${DAYS_AGO}&to=${DAYS_AGO + 15}`);
    expect(idsOf(old.items)).toEqual(idsAmong(({ position }) => position.at < DAYS_AGO + 15));
    for (const [query, wanted] of [
      ['type=order.created', ({ envelope }: EventToRecord) => envelope.type === 'order.created'],
      ['type=invoice.*', ({ envelope }: EventToRecord) => envelope.type === 'invoice.paid'],
      ['type=*&key=k1', ({ envelope }: EventToRecord) => envelope.key === 'k1'],
      ['type=order', () => false],
    ] as const) {
      const { items } = await all(`/v1/events?limit=200&${query}`);
      expect({ query, ids: idsOf(items) }).toEqual({
        query,
        ids: idsAmong((event) => isRecent(event) && wanted(event)),
      });
    }
    // By its id, however long ago.
    expect(idsOf(itemsOf(await get('/v1/events?eventId=evt-1-10')))).toEqual(['evt-1-10']);
    expect(itemsOf(await get('/v1/events?eventId=evt-1-10&type=other'))).toEqual([]);
    expect(itemsOf(await get('/v1/events?eventId=evt-1-11'))).toEqual([]);
    expect(itemsOf(await get('/v1/events?key=%00'))).toEqual([]);
    const stranger = await rig.tenant();
    expect((await stranger.client.get('/v1/events?eventId=evt-1-10')).body).toMatchObject({ items: [] });
    expect((await stranger.client.get(`/v1/events?tenantId=${tenant.id}`)).status).toBe(404);
  });
});

describe('deliveries', () => {
  it('are found by type, state, status and time', async () => {
    const orders = its.filter((event) => isRecent(event) && event.envelope.type === 'order.created');
    const idsFor = (wanted: (event: EventToRecord) => boolean): string[] =>
      orders
        .filter(wanted)
        .map(({ envelope, position }) => deliveryIdOf(envelope, position, one))
        .sort();
    for (const [query, wanted] of [
      ['', () => true],
      ['&type=order.*', () => true],
      ['&type=invoice.*', () => false],
      ['&status=503', ({ position, envelope }: EventToRecord) => position.partition === 0 && envelope.id !== TWICE],
      ['&state=delivered', ({ position }: EventToRecord) => position.partition !== 0],
      [`&from=${AT}&to=${AT + 5_000}`, ({ position }: EventToRecord) => position.at >= AT && position.at < AT + 5_000],
    ] as const) {
      const { items } = await all(`/v1/deliveries?limit=20${query}`);
      expect({ query, ids: idsOf(items) }).toEqual({ query, ids: idsFor(wanted) });
    }
    // Of one event, however long ago.
    expect(itemsOf(await get('/v1/deliveries?eventId=evt-0-0&status=503'))).toHaveLength(1);
    expect(itemsOf(await get('/v1/deliveries?eventId=evt-0-0&status=200'))).toHaveLength(0);
    expect(itemsOf(await get(`/v1/deliveries?eventId=evt-0-0&from=${AT}`))).toHaveLength(0);
    expect(itemsOf(await get(`/v1/deliveries?eventId=evt-0-0&to=${AT}`))).toHaveLength(1);
  });
});

describe('attempts', () => {
  interface Found {
    id: string;
    deliveryId: string;
    number: number;
    startedAt: string;
    event: { id: string; appendedAt: string };
  }
  const orders = (): EventToRecord[] =>
    its.filter((event) => isRecent(event) && event.envelope.type === 'order.created');
  const found = async (query: string): Promise<{ items: Found[]; pages: number }> => {
    const { items, pages } = await all(`/v1/attempts?${query}`);
    return { items: items as unknown as Found[], pages };
  };
  const eventsOf = ({ items }: { items: Found[] }): string[] => items.map(({ event }) => event.id).sort();

  it('are found newest event first, over pages, each once, and those of one delivery together, newest first', async () => {
    const { items, pages } = await found('limit=7');
    expect(eventsOf({ items: items.filter(({ number }) => number === 1) })).toEqual(
      orders()
        .map(({ envelope }) => envelope.id)
        .sort(),
    );
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    const places = items.map(({ event, deliveryId, startedAt }) => `${event.appendedAt} ${deliveryId} ${startedAt}`);
    expect(places).toEqual(places.toSorted().reverse());
    expect(pages).toBeGreaterThan(orders().length / 7);
    const twice = items.filter(({ event }) => event.id === TWICE);
    expect(twice.map(({ number }) => number)).toEqual([2, 1]);
  });

  it('are found by outcome, status, error, subscription, type and the time of their event', async () => {
    const failed = ({ position }: EventToRecord): boolean => position.partition === 0;
    for (const [query, wanted] of [
      ['outcome=failed&error=timeout', ({ envelope }: EventToRecord) => envelope.id === TWICE],
      ['outcome=failed&status=503', failed],
      ['outcome=delivered', (event: EventToRecord) => !failed(event)],
      ['status=200', (event: EventToRecord) => !failed(event)],
      [`subscriptionId=${one}&type=order.*&status=503`, failed],
      ['type=invoice.*', () => false],
      ['subscriptionId=%00', () => false],
      [`from=${AT}&to=${AT + 5_000}`, ({ position }: EventToRecord) => position.at >= AT && position.at < AT + 5_000],
    ] as const) {
      expect({ query, ids: eventsOf(await found(`limit=20&${query}`)) }).toEqual({
        query,
        ids: orders()
          .filter(wanted)
          .map(({ envelope }) => envelope.id)
          .sort(),
      });
    }
  });

  it('are found by when they began, though their event is older than a list goes back', async () => {
    const began = DAYS_AGO + RETRIED_AFTER_MS;
    expect(eventsOf(await found(`startedFrom=${began}&startedTo=${began + 100}`))).toEqual([RETRIED]);
    expect(eventsOf(await found(`from=${DAYS_AGO - 1_000}&startedFrom=${began}&startedTo=${began + 100}`))).toEqual([
      RETRIED,
    ]);
  });

  it('are found by event and delivery, however long ago, and not by another tenant', async () => {
    const event = its.find(({ envelope }) => envelope.id === RETRIED) as EventToRecord;
    const id = deliveryIdOf(event.envelope, event.position, one);
    for (const query of [`eventId=${RETRIED}`, `deliveryId=${id}`, `eventId=${RETRIED}&deliveryId=${id}`]) {
      const { items } = await found(`limit=1&${query}`);
      expect({ query, numbers: items.map(({ number }) => number) }).toEqual({ query, numbers: [2, 1] });
    }
    expect((await found(`eventId=${RETRIED}&startedTo=${DAYS_AGO + RETRIED_AFTER_MS}`)).items).toHaveLength(1);
    for (const query of ['deliveryId=msg_1', 'eventId=%00', `eventId=${TWICE}&deliveryId=${id}`])
      expect((await found(query)).items).toEqual([]);
    const stranger = await rig.tenant();
    for (const query of ['', `?deliveryId=${id}`, `?subscriptionId=${one}`, `?eventId=${RETRIED}`])
      expect((await stranger.client.get(`/v1/attempts${query}`)).body).toMatchObject({ items: [] });
  });

  /** The event ids of each page of a search that looks through so many deliveries at most. */
  async function pagesOf(rows: number, filter: AttemptFilter): Promise<string[][]> {
    const query = async <T>(sql: string, values?: unknown[]): Promise<T> => (await pool.query(sql, values)).rows as T;
    const narrow = new AttemptSearch({ query }, rows, systemClock);
    const pages: string[][] = [];
    for (let cursor: string | undefined, done = false; !done; done = cursor === undefined) {
      const page = await narrow.page(filter, 5, cursor);
      pages.push(page.attempts.map(({ delivery }) => delivery.event.id));
      cursor = page.next;
    }
    return pages;
  }

  it('of which few are wanted are looked for in a bounded number of deliveries a page: a page may be empty', async () => {
    const pages = await pagesOf(10, { tenantId: tenant.id, error: 'timeout' });
    expect(pages.flat()).toEqual([TWICE]);
    expect(pages.length).toBeGreaterThan(5);
    expect(pages.filter(({ length }) => length === 0).length).toBe(pages.length - 1);
  });

  it('of a busy subscription and a quiet one are in order over pages, each once, though the share of the busy one is used up first', async () => {
    const its = await rig.tenant();
    const subscribe = async (): Promise<string> =>
      String((await its.client.post('/v1/webhooks/subscriptions', { url: 'https://example.com/' })).body['id']);
    const [busy, quiet] = [await subscribe(), await subscribe()];
    const outcomes = Array.from({ length: 30 }, (_, offset) => {
      const event = eventAt(7, offset, AT + offset, its.id);
      const subscriptionId = offset % 10 === 0 ? quiet : busy;
      const attempt = { id: `a${offset}`, number: 1, at: event.position.at, durationMs: 3, status: 200 };
      const id = deliveryIdOf(event.envelope, event.position, subscriptionId);
      return outcomeOf(event, { id, subscriptionId, state: 'delivered', attempt });
    });
    const writer = new HistoryWriter(pool, new DayPartitions());
    await writer.write({ moves: [], events: [], outcomes }, new AbortController().signal);
    const newestFirst = outcomes.map(({ outcome }) => outcome.eventId).reverse();
    expect((await pagesOf(4, { tenantId: its.id })).flat()).toEqual(newestFirst);
  });
});

describe('a search that makes no sense', () => {
  it.each([
    ['/v1/events?from=2&to=1', 'from'],
    ['/v1/events?from=soon', 'from'],
    ['/v1/events?type=a..b', 'type'],
    ['/v1/events?cursor=abc', 'cursor'],
    ['/v1/events?limit=0', 'limit'],
    ['/v1/events?colour=red', 'colour'],
    ['/v1/deliveries?state=lost', 'state'],
    ['/v1/deliveries?status=999', 'status'],
    ['/v1/deliveries?from=2&to=1', 'from'],
    ['/v1/attempts?from=2&to=1', 'from'],
    ['/v1/attempts?startedFrom=2&startedTo=1', 'startedFrom'],
    ['/v1/attempts?outcome=lost', 'outcome'],
    ['/v1/attempts?error=NO', 'error'],
    ['/v1/attempts?cursor=abc', 'cursor'],
    ['/v1/attempts?cursor=MS4wMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA.x', 'cursor'],
  ])('%s is refused', async (path, field) => {
    expect(await get(path)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});
