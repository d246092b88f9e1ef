import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import { OtherCluster, StreamCursors } from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import { AdminRig, adminSettings, OPERATOR_TOKEN, startAdmin } from '../testing/admin-rig.js';
import { ApiClient, type ApiAnswer } from '../testing/api-client.js';
import { endOffsets, testKafka } from '../testing/topics.js';
import { StreamClient, waitingPolls, type StreamItem } from './testing/stream-client.js';
import { NOON, WrittenLog, type WrittenEvent } from './testing/written-log.js';

const DAY_MS = 86_400_000;
const DEADLINE = { deadlineMs: 90_000 };

let rig: AdminRig;

beforeAll(async () => {
  rig = await AdminRig.start({ HOOKLINE_STREAM_TENANT_WAITING: '2', HOOKLINE_STREAM_SCAN: '100' });
});
afterAll(() => rig.stop());

/** Each test has history of its own, and tenants whose events are nobody else's. */
describe('the pull stream', () => {
  let log: WrittenLog;
  let tenant: string;
  let client: StreamClient;

  beforeEach(async () => {
    log = new WrittenLog(rig.database.url);
    // As if nothing had ever been recorded.
    await log.query('TRUNCATE events, event_routes, recorder_offsets, recorder_gaps');
    tenant = newId('ten');
    client = new StreamClient(rig.operator, `tenantId=${tenant}`);
    client.cursor = cursorAt(new Map());
  });
  afterEach(() => log.close());

  const cursorAt = (position: ReadonlyMap<number, number>, of = tenant): string =>
    new StreamCursors(adminSettings(rig.database.url).sealing.keys).encode(of, position);
  const positionOf = (cursor: string): ReadonlyMap<number, number> =>
    new StreamCursors(adminSettings(rig.database.url).sealing.keys).decode(tenant, cursor);
  const mine = (partition: number, ...offsets: number[]): WrittenEvent[] =>
    offsets.map((offset) => ({ partition, offset, tenant }));
  const others = (partition: number, from: number, count: number): WrittenEvent[] =>
    Array.from({ length: count }, (_, index) => ({ partition, offset: from + index, tenant: 'ten_other' }));
  const positions = (items: readonly StreamItem[]): string[] =>
    items.map(({ partition, offset }) => `${partition}/${offset}`);

  it('gives an event as it was published, once, and a cursor also when nothing came', async () => {
    await log.write([{ partition: 0, offset: 0, tenant, id: 'a', key: 'k', payload: '{"n":  1.50}' }]);
    const { status, body, headers } = await client.poll();
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      items: [
        {
          id: 'a',
          type: 'order.created',
          time: '2026-11-20T12:00:00Z',
          key: 'k',
          partition: 0,
          offset: 0,
          appendedAt: new Date(NOON).toISOString(),
          data: { n: 1.5 },
        },
      ],
      cursor: expect.any(String),
      more: false,
    });
    expect((await client.poll()).body).toEqual({ items: [], cursor: expect.any(String), more: false });
    const raw = await fetch(`${rig.role.url}/v1/streams/events?tenantId=${tenant}&from=earliest`, {
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
    });
    expect(raw.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await raw.text()).toContain('"data":{"n":  1.50}}');
  });

  it('begins at the end, at what history has first, or at a time', async () => {
    const poll = (from: string): Promise<ApiAnswer> =>
      rig.operator.get(`/v1/streams/events?tenantId=${tenant}&from=${from}`);
    for (const end of ['latest', '9999-12-31T00:00:00Z', '253402300799999']) {
      // Other specs may append meanwhile.
      const before = await endOffsets(TOPICS.events);
      const { body } = await poll(end);
      const begun = positionOf(String(body['cursor']));
      const after = await endOffsets(TOPICS.events);
      for (const [partition, offset] of begun) {
        expect(offset).toBeGreaterThanOrEqual(before.get(partition) as number);
        expect(offset).toBeLessThanOrEqual(after.get(partition) as number);
      }
      expect([...begun.keys()]).toEqual([...before.keys()]);
    }
    await log.write([0, 1, 2].map((offset) => ({ partition: 0, offset, tenant, at: NOON + offset * DAY_MS })));
    expect(positions((await poll('earliest')).body['items'] as StreamItem[])).toEqual(['0/0', '0/1', '0/2']);
    for (const bad of ['yesterday', '2026-11-20', '', '-1', '1e3']) expect((await poll(bad)).status).toBe(400);
  });

  it('leaves out what is known to be a duplicate, the types that are not asked for, and the events of others', async () => {
    const types = ['order.created', 'order', 'order.item.added', 'invoice'];
    await log.write([
      ...types.map((type, offset) => ({ partition: 0, offset, tenant, type })),
      ...others(0, 4, 2),
      ...mine(0, 6),
    ]);
    await log.duplicate({ partition: 0, offset: 6, tenant }, 0);
    const poll = async (asked: string): Promise<string[]> => {
      const answer = await rig.operator.get(
        `/v1/streams/events?tenantId=${tenant}&cursor=${cursorAt(new Map())}${asked}`,
      );
      return (answer.body['items'] as StreamItem[]).map(({ type }) => type);
    };
    expect(await poll('')).toEqual(types);
    expect(await poll('&types=order.*')).toEqual(['order.created', 'order.item.added']);
    expect(await poll('&types=invoice,order')).toEqual(['order', 'invoice']);
    expect(await poll('&types=*,order')).toEqual(types);
  });

  it('never jumps over an event that is committed late, nor reads past what the recorder has completely', async () => {
    await log.write(mine(0, 0));
    await log.write(mine(1, 0));
    await client.poll();
    await log.write(mine(1, 1, 2));
    // A row that stands past the recorder's offset is not there for a reader yet.
    await log.query(
      `INSERT INTO events SELECT 0, 1, appended_at, tenant_id, 'early', type, time, key, payload, size FROM events
        WHERE partition = 0`,
    );
    await client.poll();
    expect(positions(client.items)).toEqual(['0/0', '1/0', '1/1', '1/2']);
    await log.query(`DELETE FROM events WHERE event_id = 'early'`);
    await log.write(mine(0, 1));
    await client.poll();
    expect(positions(client.items).at(-1)).toBe('0/1');
  });

  it('moves on over a bounded number of events of others, and finds its own behind them', async () => {
    await log.write([...others(0, 0, 250), ...mine(0, 250)]);
    const looked: boolean[] = [];
    for (let polls = 0; polls < 3; polls += 1) looked.push((await client.poll()).body['more'] === true);
    expect(looked).toEqual([true, true, false]);
    expect(positions(client.items)).toEqual(['0/250']);
  });

  it('begins a partition that was added since at its first event', async () => {
    await log.write(mine(0, 0));
    await client.poll();
    await log.write(mine(7, 0, 1));
    await client.poll();
    expect(positions(client.items)).toEqual(['0/0', '7/0', '7/1']);
  });

  describe('while it waits', () => {
    it('is woken by an event of its own, by none of others, and its cursor is past these', async () => {
      await log.write(mine(0, 0));
      await client.poll();
      const waiting = client.poll('&wait=30');
      await waitUntil(async () => (await waitingPolls(rig.role.url)) === 1, { ...DEADLINE, what: 'the poll to wait' });
      await log.write(others(0, 1, 80));
      await log.write(mine(0, 81));
      await waiting;
      expect(positions(client.items)).toEqual(['0/0', '0/81']);
    });

    it('gives its place back when the client goes, and refuses one more than it has room for', async () => {
      await log.write(mine(0, 0));
      await client.poll();
      const gone = new AbortController();
      const url = `${rig.role.url}/v1/streams/events?tenantId=${tenant}&wait=30&cursor=${client.cursor as string}`;
      const wait = (): Promise<unknown> =>
        fetch(url, { signal: gone.signal, headers: { authorization: `Bearer ${OPERATOR_TOKEN}` } }).catch(() => 'gone');
      const two = [wait(), wait()];
      await waitUntil(async () => (await waitingPolls(rig.role.url)) === 2, { ...DEADLINE, what: 'two polls to wait' });
      const third = await client.poll('&wait=30');
      expect(third).toMatchObject({ status: 429, body: { type: expect.stringMatching(/too-many-waiting$/) } });
      expect(third.headers.get('retry-after')).toBe('5');
      gone.abort();
      expect(await Promise.all(two)).toEqual(['gone', 'gone']);
      await waitUntil(async () => (await waitingPolls(rig.role.url)) === 0, {
        ...DEADLINE,
        what: 'their places to be free',
      });
    });

    it('is answered with an empty page when the process stops, and the cursor goes on with the next one', async () => {
      await log.write(mine(0, 0));
      const role = await startAdmin(rig.database.url);
      const own = new StreamClient(new ApiClient(role.url, OPERATOR_TOKEN), `tenantId=${tenant}`);
      own.cursor = client.cursor;
      await own.poll();
      const waiting = own.poll('&wait=30');
      await waitUntil(async () => (await waitingPolls(role.url)) === 1, { ...DEADLINE, what: 'the poll to wait' });
      await role.stop();
      expect(await waiting).toMatchObject({ status: 200, body: { items: [], more: false } });
      await log.write(mine(0, 1));
      own.api = rig.operator;
      await own.poll();
      expect(positions(own.items)).toEqual(['0/0', '0/1']);
    });
  });

  describe('a gap', () => {
    it('that the log let go of before it was recorded has its bounds, and a cursor that goes on behind it', async () => {
      await log.write([...mine(0, 0, 1), ...mine(1, 0)]);
      await log.write(mine(0, 50).map((event) => ({ ...event, at: NOON + 60_000 })));
      await client.poll();
      expect(positions(client.items)).toEqual(['0/0', '0/1', '1/0']);
      const gap = await client.poll();
      expect(gap.headers.get('content-type')).toBe('application/problem+json');
      expect(gap.headers.get('link')).toMatch(/after-a-gap/);
      expect(gap).toMatchObject({
        status: 410,
        body: {
          type: 'https://hookline.dev/problems/gap',
          gaps: [
            {
              partition: 0,
              from: 2,
              to: 50,
              fromTime: new Date(NOON).toISOString(),
              toTime: new Date(NOON + 60_000).toISOString(),
              reason: 'log-retention',
            },
          ],
          refetch: expect.stringContaining('after-a-gap'),
        },
      });
      await log.write(mine(1, 1));
      client.cursor = String(gap.body['cursor']);
      await client.poll();
      expect(positions(client.items).slice(3).sort()).toEqual(['0/50', '1/1']);
    });

    it('that history has dropped is told apart, and only to those who had not read it', async () => {
      await log.write([0, 1, 2].map((day) => ({ partition: 0, offset: day, tenant, at: NOON + day * DAY_MS })));
      await log.write(mine(1, 0).map((event) => ({ ...event, at: NOON })));
      const read = new StreamClient(rig.operator, `tenantId=${tenant}`);
      read.cursor = client.cursor;
      await read.poll();
      await log.dropBefore(NOON + 2 * DAY_MS);
      expect((await read.poll()).status).toBe(200);
      const gap = await client.poll();
      expect(gap).toMatchObject({
        status: 410,
        body: {
          gaps: [
            {
              partition: 0,
              from: 0,
              to: 2,
              fromTime: new Date(NOON).toISOString(),
              toTime: new Date(NOON + DAY_MS).toISOString(),
              reason: 'history-retention',
            },
            { partition: 1, from: 0, to: 1, reason: 'history-retention' },
          ],
        },
      });
      client.cursor = String(gap.body['cursor']);
      await client.poll();
      expect(positions(client.items)).toEqual(['0/2']);
    });

    it('is the whole log that a cursor of another cluster is of; the fresh one begins with the first event of this one', async () => {
      const kafka = testKafka().admin();
      await kafka.connect();
      const { clusterId } = await kafka.describeCluster();
      await kafka.disconnect();
      await log.query(`INSERT INTO kafka_cluster (id) VALUES ('${clusterId}')`);
      const other = await startAdmin(rig.database.url);
      try {
        await log.write(mine(0, 0, 1));
        const api = new ApiClient(other.url, OPERATOR_TOKEN);
        const keys = new StreamCursors(adminSettings(rig.database.url).sealing.keys);
        const itsClient = new StreamClient(api, `tenantId=${tenant}`);
        // Offsets that this log has as well: without a word it would go on there.
        itsClient.cursor = keys.encode(tenant, new Map([[0, 1], [2, 5]]), 'another'); // prettier-ignore
        const { status, body } = await itsClient.poll();
        expect({ status, type: body['type'], gaps: body['gaps'] }).toEqual({
          status: 410,
          type: expect.stringMatching(/\/gap$/),
          gaps: [[0, 1], [2, 5]].map(([partition, from]) => ({ partition, from, to: null, fromTime: null, toTime: null, reason: 'other-cluster', inLog: null })), // prettier-ignore
        });
        itsClient.cursor = String(body['cursor']);
        await itsClient.poll();
        expect(positions(itsClient.items)).toEqual(['0/0', '0/1']);
        expect(keys.decode(tenant, itsClient.cursor, clusterId).get(0)).toBe(2);
        expect(() => keys.decode(tenant, String(itsClient.cursor), 'another')).toThrow(OtherCluster);
        // One that was given before cursors named their cluster goes on.
        itsClient.cursor = keys.encode(tenant, new Map([[0, 1]]));
        await itsClient.poll();
        expect(positions(itsClient.items).at(-1)).toBe('0/1');
      } finally {
        await other.stop();
        await log.query('TRUNCATE kafka_cluster');
      }
    });

    it('is none where the database is behind, for it was rebuilt: the cursor waits, and goes on', async () => {
      const ends = await endOffsets(TOPICS.events);
      const end = ends.get(0) as number;
      client.cursor = cursorAt(ends);
      expect((await client.poll()).body).toMatchObject({ items: [] });
      expect(client.cursor).toBe(cursorAt(ends));
      if (end > 0) await log.write(mine(0, ...Array.from({ length: end }, (_, offset) => offset)));
      await client.poll();
      expect(client.items).toEqual([]);
      await log.write(mine(0, end));
      await client.poll();
      expect(positions(client.items)).toEqual([`0/${end}`]);
    });
  });

  describe('refuses', () => {
    const faults = async (query: string): Promise<unknown> => {
      const { status, body } = await rig.operator.get(`/v1/streams/events?tenantId=${tenant}${query}`);
      return { status, fields: (body['errors'] as { field: string; limit?: number }[]).map(({ field }) => field) };
    };

    it.each([
      ['a limit of 0', '&limit=0', ['limit']],
      ['a limit above the setting', '&limit=1001', ['limit']],
      ['a limit that is no number', '&limit=many', ['limit']],
      ['a longer wait than the setting', '&wait=31', ['wait']],
      ['a wait that is no number', '&wait=-1', ['wait']],
      ['no types', '&types=', ['types[0]']],
      ['types that are none', '&types=order.**,a%20b', ['types[0]', 'types[1]']],
      ['a type twice', '&types=a,a', ['types']],
      ['too many types', `&types=${Array.from({ length: 101 }, (_, index) => `t${index}`).join(',')}`, ['types']],
      ['what it does not know', '&offset=3', ['offset']],
      ['a corrupt cursor', '&cursor=AAAA', ['cursor']],
      ['an empty cursor', '&cursor=', ['cursor']],
      ['a cursor that is far too long', `&cursor=${'A'.repeat(12_001)}`, ['cursor']],
    ])('%s', async (_, query, fields) => {
      expect(await faults(query)).toEqual({ status: 400, fields });
    });

    it("a cursor and a place to begin, another tenant's cursor, and one from the future", async () => {
      expect(await faults(`&cursor=${client.cursor as string}&from=earliest`)).toEqual({
        status: 400,
        fields: ['from'],
      });
      expect(await faults(`&cursor=${cursorAt(new Map(), 'ten_other')}`)).toEqual({ status: 400, fields: ['cursor'] });
      const end = (await endOffsets(TOPICS.events)).get(0) as number;
      for (const position of [new Map([[0, end + 1_000_000]]), new Map([[999, 1]])])
        expect(await faults(`&cursor=${cursorAt(position)}`)).toEqual({ status: 400, fields: ['cursor'] });
    });

    it("an operator who names no tenant, a key that names another's, and nobody's", async () => {
      expect((await rig.operator.get('/v1/streams/events')).status).toBe(400);
      const own = await rig.tenant();
      expect((await own.client.get('/v1/streams/events')).status).toBe(200);
      expect((await own.client.get(`/v1/streams/events?tenantId=${tenant}`)).status).toBe(404);
      expect((await new ApiClient(rig.role.url).get('/v1/streams/events')).status).toBe(401);
    });
  });
});
