import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { distinct, waitUntil } from '@hookline/testing';
import { AdminRig } from '../testing/admin-rig.js';
import { ApiClient, type ApiAnswer } from '../testing/api-client.js';
import { readFrom } from '../testing/topics.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const url = 'https://example.com/hook';

let rig: AdminRig;
let client: ApiClient;

beforeAll(async () => {
  rig = await AdminRig.start({
    HOOKLINE_MAX_SUBSCRIPTION_RATE: '500',
    HOOKLINE_MAX_SUBSCRIPTION_BURST: '200',
    HOOKLINE_MAX_SUBSCRIPTION_IN_FLIGHT: '64',
  });
  ({ client } = await rig.tenant());
});

afterAll(() => rig.stop());

async function made(asked: object): Promise<{ path: string; id: string; body: ApiAnswer['body'] }> {
  const { status, body } = await client.post(SUBSCRIPTIONS, { url, ...asked });
  expect({ status, body }).toMatchObject({ status: 201 });
  const id = String(body['id']);
  return { path: `${SUBSCRIPTIONS}/${id}`, id, body };
}

/** The versions as the workers get them. */
function published(id: string, versions: number): Promise<SubscriptionRecord[]> {
  return waitUntil(
    async () => {
      const records = await readFrom(TOPICS.subscriptions, new Map());
      const mine = records.filter(({ key }) => String(key) === id);
      const all = mine.map(({ value }) => JSON.parse(String(value)) as SubscriptionRecord);
      const each = distinct(all, ({ version }) => String(version));
      return each.length === versions && each;
    },
    { deadlineMs: 90_000, what: `${versions} versions of ${id}` },
  );
}

describe('order and limits of a subscription', () => {
  it('are none, where they are left out', async () => {
    const { path, id, body } = await made({});
    const none = { ordering: 'none', rateLimit: null, maxInFlight: null };
    expect(body).toMatchObject(none);
    expect((await client.get(path)).body).toMatchObject({ ...none, disabledReason: null, disabledAt: null });
    const [record] = await published(id, 1);
    expect(Object.keys(record ?? {})).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(o|rateL|max)/)]));
  });

  it('are shown as they were asked for, and told to the workers', async () => {
    const asked = { ordering: 'key', rateLimit: { perSecond: 2.5, burst: 7 }, maxInFlight: 3 };
    const { path, id, body } = await made(asked);
    expect(body).toMatchObject(asked);
    expect((await client.get(path)).body).toMatchObject(asked);
    const { items } = (await client.get(SUBSCRIPTIONS)).body as { items: { id: string }[] };
    expect(items.find((item) => item.id === id)).toMatchObject(asked);
    expect(await published(id, 1)).toMatchObject([asked]);
  });

  it('a burst that is left out is what a second brings, within its limit', async () => {
    for (const [perSecond, burst] of [
      [0.001, 1],
      [2.1, 3],
      [500, 200],
    ])
      expect((await made({ rateLimit: { perSecond } })).body).toMatchObject({ rateLimit: { perSecond, burst } });
  });

  it('are changed and taken away one by one under their version, and stay where a patch does not name them', async () => {
    const { path, id } = await made({ ordering: 'key', rateLimit: { perSecond: 5, burst: 9 }, maxInFlight: 3 });
    const changed = await client.patch(path, { rateLimit: { perSecond: 8 } }, { 'if-match': '"1"' });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(changed.body).toMatchObject({ ordering: 'key', rateLimit: { perSecond: 8, burst: 8 }, maxInFlight: 3 });
    expect((await client.patch(path, { rateLimit: null }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await client.patch(path, { rateLimit: null })).body).toMatchObject({ rateLimit: null, maxInFlight: 3 });
    expect((await client.patch(path, { maxInFlight: null })).body).toMatchObject({
      rateLimit: null,
      maxInFlight: null,
    });
    expect((await client.patch(path, { maxInFlight: 64 })).body).toMatchObject({ maxInFlight: 64 });
    const records = await published(id, 5);
    expect(records.map(({ ordering, rateLimit, maxInFlight }) => [ordering, rateLimit?.burst, maxInFlight])).toEqual([
      ['key', 9, 3],
      ['key', 8, 3],
      ['key', undefined, 3],
      ['key', undefined, undefined],
      ['key', undefined, 64],
    ]);
  });

  it('the order is fixed: naming it as it is changes nothing, another one is refused', async () => {
    for (const [ordering, other] of [
      ['key', 'none'],
      ['none', 'key'],
    ]) {
      const { path } = await made({ ordering });
      expect(await client.patch(path, { ordering, maxInFlight: 2 })).toMatchObject({ status: 200, body: { ordering } });
      const refused = await client.patch(path, { ordering: other, maxInFlight: 5 });
      expect(refused).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'ordering', message: expect.stringContaining(`it is ${ordering}`) }] },
      });
      expect((await client.get(path)).body).toMatchObject({ ordering, maxInFlight: 2, version: 2 });
    }
  });
});

describe('order and limits that are wrong', () => {
  const rate = (perSecond: unknown, more: object = {}) => ({ rateLimit: { perSecond, ...more } });
  const cases: [what: string, asked: unknown, field: string, limit?: number][] = [
    ['an order that is none', { ordering: 'tenant' }, 'ordering'],
    ['an order that is null', { ordering: null }, 'ordering'],
    ['an order that is a flag', { ordering: true }, 'ordering'],
    ['a rate that is a number', { rateLimit: 5 }, 'rateLimit'],
    ['a rate that is text', { rateLimit: '5' }, 'rateLimit'],
    ['a rate that is a list', { rateLimit: [5] }, 'rateLimit'],
    ['a rate without a number', { rateLimit: {} }, 'rateLimit.perSecond'],
    ['a rate of nothing', rate(0), 'rateLimit.perSecond', 0.001],
    ['a negative rate', rate(-1), 'rateLimit.perSecond', 0.001],
    ['a rate that is too low', rate(0.0009), 'rateLimit.perSecond', 0.001],
    ['a rate that is too high', rate(500.5), 'rateLimit.perSecond', 500],
    ['a rate that is no number', rate(null), 'rateLimit.perSecond'],
    ['a rate in a text', rate('5'), 'rateLimit.perSecond'],
    ['an endless rate', '{"rateLimit":{"perSecond":1e999}}', 'rateLimit.perSecond'],
    ['an unknown member', rate(5, { perMinute: 5 }), 'rateLimit.perMinute'],
    ['a burst of nothing', rate(5, { burst: 0 }), 'rateLimit.burst', 1],
    ['a negative burst', rate(5, { burst: -1 }), 'rateLimit.burst', 1],
    ['half a burst', rate(5, { burst: 1.5 }), 'rateLimit.burst'],
    ['a burst in a text', rate(5, { burst: '5' }), 'rateLimit.burst'],
    ['a burst that is null', rate(5, { burst: null }), 'rateLimit.burst'],
    ['a burst that is too high', rate(5, { burst: 201 }), 'rateLimit.burst', 200],
    ['none in flight', { maxInFlight: 0 }, 'maxInFlight', 1],
    ['less than none in flight', { maxInFlight: -1 }, 'maxInFlight', 1],
    ['half a one in flight', { maxInFlight: 2.5 }, 'maxInFlight'],
    ['a number in flight that is text', { maxInFlight: '2' }, 'maxInFlight'],
    ['too many in flight', { maxInFlight: 65 }, 'maxInFlight', 64],
    ['far too many in flight', '{"maxInFlight":1e300}', 'maxInFlight'],
  ];

  let path: string;
  beforeAll(async () => {
    ({ path } = await made({ rateLimit: { perSecond: 1 } }));
  });

  // By rest: a fourth parameter that is left out would be taken for a callback.
  it.each(cases)('%s', async (...[, asked, field, limit]) => {
    const text = typeof asked === 'string' ? asked : JSON.stringify(asked);
    const created = await client.post(SUBSCRIPTIONS, text.replace('{', `{"url":"${url}",`));
    for (const { status, headers, body } of [created, await client.patch(path, text)]) {
      expect({ status, body }).toMatchObject({ status: 400, body: { status: 400 } });
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body['errors']).toEqual([expect.objectContaining({ field, ...(limit === undefined ? {} : { limit }) })]);
    }
    expect((await client.get(path)).body).toMatchObject({ version: 1, rateLimit: { perSecond: 1, burst: 1 } });
  });

  it('are in the API document as they may be', async () => {
    const { body } = await new ApiClient(rig.role.url).get('/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, Record<string, unknown>>> };
    const properties = {
      ordering: { enum: ['none', 'key'] },
      rateLimit: { anyOf: expect.arrayContaining([expect.objectContaining({ required: ['perSecond'] })]) },
      maxInFlight: { anyOf: expect.arrayContaining([expect.objectContaining({ type: 'integer' })]) },
    };
    const schemaOf = (part: unknown) => (part as { content: Record<string, object> }).content['application/json'];
    expect(schemaOf(paths[SUBSCRIPTIONS]?.['post']?.['requestBody'])).toMatchObject({ schema: { properties } });
    const one = paths[`${SUBSCRIPTIONS}/{id}`];
    expect(schemaOf(one?.['patch']?.['requestBody'])).toMatchObject({ schema: { properties } });
    expect(schemaOf((one?.['get']?.['responses'] as Record<string, object> | undefined)?.['200'])).toMatchObject({
      schema: { properties: { ordering: properties.ordering, disabledReason: {}, disabledAt: {} } },
    });
  });
});
