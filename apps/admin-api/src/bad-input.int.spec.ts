import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@hookline/domain';
import { AdminRig } from './testing/admin-rig.js';
import type { ApiClient } from './testing/api-client.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const URL_OK = 'https://example.com/hook';
const GONE = '9'.repeat(12);

let rig: AdminRig;
let tenantId: string;
let client: ApiClient;
let subscription: string;

beforeAll(async () => {
  rig = await AdminRig.start({ HOOKLINE_ALLOW_CIDRS: '' });
  const tenant = await rig.tenant();
  tenantId = tenant.id;
  client = tenant.client;
  subscription = String((await client.post(SUBSCRIPTIONS, { url: URL_OK })).body['id']);
});

afterAll(() => rig.stop());

/** Every refusal is a problem; it names the field where there is one. */
async function refused(
  call: Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>,
  status: number,
  field?: string,
): Promise<void> {
  const answer = await call;
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ status, type: expect.stringContaining('https://hookline.dev/problems/') });
  if (field !== undefined)
    expect(answer.body['errors']).toEqual(expect.arrayContaining([expect.objectContaining({ field })]));
}

describe('a body that is wrong', () => {
  const replay = { topic: 'hookline.events', from: { offsets: { '0': 0 } } };
  const cases: [what: string, path: () => string, body: unknown, field: string][] = [
    ['a tenant without a name', () => '/v1/tenants', {}, 'name'],
    ['a tenant with an unknown field', () => '/v1/tenants', { name: 'a', admin: true }, 'admin'],
    ['a tenant whose name is a number', () => '/v1/tenants', { name: 7 }, 'name'],
    ['a tenant whose name is empty', () => '/v1/tenants', { name: ' ' }, 'name'],
    ['a tenant whose name holds a NUL', () => '/v1/tenants', { name: 'a\0' }, 'name'],
    ['a tenant whose name holds half of a pair', () => '/v1/tenants', { name: 'a\ud800' }, 'name'],
    ['a tenant whose name is too long', () => '/v1/tenants', { name: 'a'.repeat(201) }, 'name'],
    ['a body that is a list', () => '/v1/tenants', [], '(body)'],
    ['a body that is text', () => '/v1/tenants', '"text"', '(body)'],
    ['a key without a name', () => `/v1/tenants/${tenantId}/keys`, {}, 'name'],
    ['a subscription without a tenant', () => SUBSCRIPTIONS, { url: URL_OK }, 'tenantId'],
    ['a subscription without a URL', () => SUBSCRIPTIONS, { tenantId: 't' }, 'url'],
    ...[
      'nothing',
      'ftp://example.com/',
      'https://',
      '//example.com/',
      'javascript:alert(1)',
      'https://user:pass@example.com/',
      'https://example.com/#part',
      'https://exa mple.com/',
      'http://127.0.0.1/',
      'http://127.1/',
      'http://0x7f000001/',
      'http://[::1]/',
      'http://[::ffff:10.0.0.1]/',
      'http://169.254.169.254/latest',
      `https://example.com/${'a'.repeat(2_100)}`,
    ].map((url): [string, () => string, unknown, string] => [
      `the URL ${url.slice(0, 40)}`,
      () => SUBSCRIPTIONS,
      { url, tenantId: 'TENANT' },
      'url',
    ]),
    ...[[], ['a b'], ['a.*.b'], ['*.a'], ['a..b'], ['a', 'a'], [''], ['a'.repeat(129)], 'a', [7]].map(
      (types): [string, () => string, unknown, string] => [
        `the types ${JSON.stringify(types).slice(0, 40)}`,
        () => SUBSCRIPTIONS,
        { url: URL_OK, tenantId: 'TENANT', types },
        Array.isArray(types) && types.length === 1 ? 'types[0]' : 'types',
      ],
    ),
    ...['host', 'Content-Length', 'webhook-id', 'Hookline-Attempt', 'a b', ''].map(
      (name): [string, () => string, unknown, string] => [
        `the header ${name}`,
        () => SUBSCRIPTIONS,
        { url: URL_OK, tenantId: 'TENANT', headers: { [name]: 'x' } },
        `headers.${name}`,
      ],
    ),
    [
      'a header with a line break',
      () => SUBSCRIPTIONS,
      { url: URL_OK, tenantId: 'TENANT', headers: { a: 'b\r\nc: d' } },
      'headers.a',
    ],
    [
      'a header twice',
      () => SUBSCRIPTIONS,
      { url: URL_OK, tenantId: 'TENANT', headers: { a: 'b', A: 'b' } },
      'headers',
    ],
    [
      'headers that are too long',
      () => SUBSCRIPTIONS,
      { url: URL_OK, tenantId: 'TENANT', headers: { a: 'b'.repeat(5_000) } },
      'headers',
    ],
    [
      'a secret that is none',
      () => SUBSCRIPTIONS,
      { url: URL_OK, tenantId: 'TENANT', secret: 'whsec_short' },
      'secret',
    ],
    ['a status that is none', () => SUBSCRIPTIONS, { url: URL_OK, tenantId: 'TENANT', status: 'deleted' }, 'status'],
    ['a replay of another topic', () => '/v1/replays', { ...replay, topic: 'hookline.attempts' }, 'topic'],
    ['a replay from nowhere', () => '/v1/replays', { topic: 'hookline.events' }, 'from'],
    [
      'a replay from two places',
      () => '/v1/replays',
      { ...replay, from: { offsets: { '0': 0 }, timestamp: 0 } },
      'from',
    ],
    ['a replay from no partition', () => '/v1/replays', { ...replay, from: { offsets: {} } }, 'from.offsets'],
    [
      'a replay from a partition without a number',
      () => '/v1/replays',
      { ...replay, from: { offsets: { a: 0 } } },
      'from',
    ],
    [
      'a replay from a negative offset',
      () => '/v1/replays',
      { ...replay, from: { offsets: { '0': -1 } } },
      'from.offsets.0',
    ],
    ['a replay from half an offset', () => '/v1/replays', { ...replay, from: { offsets: { '0': 0.5 } } }, 'from'],
    ['a replay from no time', () => '/v1/replays', { ...replay, from: { timestamp: 'yesterday' } }, 'from.timestamp'],
    [
      'a replay from a time without a zone',
      () => '/v1/replays',
      { ...replay, from: { timestamp: '2026-01-01T00:00:00' } },
      'from.timestamp',
    ],
    ['a replay to no subscription', () => '/v1/replays', { ...replay, subscriptionIds: [] }, 'subscriptionIds'],
    ['a replay without a tenant', () => '/v1/replays', replay, 'tenantId'],
    [
      'a replay of an unknown partition',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', from: { offsets: { '99': 0 } } },
      'from.offsets.99',
    ],
    [
      'a replay from past the end',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', from: { offsets: { '0': Number(GONE) } } },
      'from.offsets.0',
    ],
    [
      'a replay to past the end',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', to: { offsets: { '0': Number(GONE) } } },
      'to.offsets.0',
    ],
    [
      'a replay to a partition that is not read',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', to: { offsets: { '1': 0 } } },
      'to.offsets.1',
    ],
    [
      'a replay that ends before it begins',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', from: { timestamp: 20 }, to: { timestamp: 10 } },
      'from.timestamp',
    ],
    [
      'a replay to an unknown subscription',
      () => '/v1/replays',
      { ...replay, tenantId: 'TENANT', subscriptionIds: [newId('sub')] },
      'subscriptionIds[0]',
    ],
  ];

  it.each(cases)('%s', async (_what, path, body, field) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body).replaceAll('"TENANT"', `"${tenantId}"`);
    await refused(rig.operator.post(path(), text), 400, field);
  });

  it('changes nothing: no subscription was made', async () => {
    expect((await client.get(SUBSCRIPTIONS)).body['items']).toHaveLength(1);
  });

  it('a patch that is empty, or would break a rule', async () => {
    const path = `${SUBSCRIPTIONS}/${subscription}`;
    await refused(client.patch(path, {}), 400, '(body)');
    await refused(client.patch(path, { secret: 'x' }), 400, 'secret');
    await refused(client.patch(path, { url: 'http://10.0.0.1/' }), 400, 'url');
    await refused(client.patch(path, { headers: { host: 'x' } }), 400, 'headers.host');
    expect((await client.get(path)).body).toMatchObject({ version: 1 });
  });
});

describe('a request that is no JSON', () => {
  it.each([
    ['malformed', '{"name": ', 'application/json', 400],
    ['empty', '', 'application/json', 400],
    ['with a key that would change prototypes', '{"__proto__": {"name": "a"}}', 'application/json', 400],
    ['a form', 'name=a', 'application/x-www-form-urlencoded', 415],
    ['plain text', 'name', 'text/plain', 415],
    ['of no known type', '<name/>', 'application/xml', 415],
    ['too large', `{"name": "${'a'.repeat(2_000_000)}"}`, 'application/json', 413],
  ])('%s', async (_what, text, contentType, status) => {
    await refused(rig.operator.send('POST', '/v1/tenants', text, contentType), status);
  });
});

describe('a query that is wrong', () => {
  it.each([
    ['/v1/tenants?limit=0', 'limit'],
    ['/v1/tenants?limit=201', 'limit'],
    ['/v1/tenants?limit=ten', 'limit'],
    ['/v1/tenants?limit=1&limit=2', 'limit'],
    ['/v1/tenants?cursor=nonsense', 'cursor'],
    ['/v1/tenants?page=2', 'page'],
    ['/v1/webhooks/subscriptions?tenantId=TENANT&status=deleted', 'status'],
    ['/v1/webhooks/subscriptions', 'tenantId'],
    ['/v1/deliveries?tenantId=TENANT&state=lost', 'state'],
    ['/v1/deliveries?tenantId=TENANT&cursor=nonsense', 'cursor'],
    ['/v1/deliveries?tenantId=TENANT&eventId=a&cursor=nonsense', 'cursor'],
    ['/v1/deliveries', 'tenantId'],
    ['/v1/events/evt_1', 'tenantId'],
    ['/v1/replays', 'tenantId'],
    ['/v1/replays?tenantId=TENANT&cursor=nonsense', 'cursor'],
    ['/v1/topics/hookline.events/offsets?timestamp=soon', 'timestamp'],
    ['/v1/topics/hookline.events/offsets?time=0', 'time'],
  ])('%s', async (path, field) => {
    await refused(rig.operator.get(path.replace('TENANT', tenantId)), 400, field);
  });
});

describe('what is not there', () => {
  const unknown = [
    () => `/v1/tenants/${newId('ten')}`,
    () => '/v1/tenants/nobody',
    () => '/v1/tenants/%00',
    () => `/v1/tenants/${newId('ten')}/keys`,
    () => `/v1/tenants/${tenantId}/keys/${newId('key')}`,
    () => `/v1/tenants/${tenantId}/keys/a%00b`,
    () => `${SUBSCRIPTIONS}/${newId('sub')}`,
    () => `${SUBSCRIPTIONS}/sub_1`,
    () => `${SUBSCRIPTIONS}?tenantId=${newId('ten')}`,
    () => `/v1/events/unknown?tenantId=${tenantId}`,
    () => `/v1/events/a%00b?tenantId=${tenantId}`,
    () => `/v1/deliveries/msg_${'0'.repeat(32)}`,
    () => '/v1/deliveries/msg_1',
    () => `/v1/replays/${newId('rpl')}`,
    () => '/v1/replays/rpl_%27',
    () => '/v1/topics/hookline.attempts/offsets',
    () => '/v1/nothing',
  ];

  it('is 404, also where the id could not be one', async () => {
    for (const path of unknown) await refused(rig.operator.get(path()), 404);
    await refused(rig.operator.patch(`${SUBSCRIPTIONS}/${newId('sub')}`, { status: 'enabled' }), 404);
    await refused(rig.operator.delete(`/v1/tenants/${tenantId}/keys/${newId('key')}`), 404);
    await refused(rig.operator.delete(`/v1/replays/${newId('rpl')}`), 404);
    await refused(rig.operator.post(`/v1/tenants/${newId('ten')}/keys`, { name: 'a' }), 404);
    await refused(rig.operator.post(SUBSCRIPTIONS, { tenantId: newId('ten'), url: URL_OK }), 404);
  });

  it('is an empty list where a filter matches nothing', async () => {
    for (const query of [`subscriptionId=${newId('sub')}`, 'subscriptionId=%00', 'eventId=%00', 'eventId=none']) {
      const { status, body } = await client.get(`/v1/deliveries?${query}`);
      expect({ status, body }).toEqual({ status: 200, body: { items: [], nextCursor: null } });
    }
  });
});
