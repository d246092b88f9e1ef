import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPICS, type CredentialRecord, type SubscriptionRecord, type SubscriptionSecrets } from '@hookline/contracts';
import { apiKeyIdOf, hashApiKey, Sealer } from '@hookline/domain';
import { waitUntil } from '@hookline/testing';
import { AdminRig, adminSettings } from './testing/admin-rig.js';
import { ApiClient } from './testing/api-client.js';
import { endOffsets, readFrom } from './testing/topics.js';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';

let rig: AdminRig;

beforeAll(async () => {
  rig = await AdminRig.start({ HOOKLINE_MAX_SUBSCRIPTIONS: '5' });
});

afterAll(() => rig.stop());

async function published<T>(topic: string, id: string, version: number): Promise<T> {
  return waitUntil(
    async () => {
      const records = await readFrom(topic, new Map());
      const values = records.filter(({ key }) => key?.toString() === id).map(({ value }) => JSON.parse(String(value)));
      return values.find((value) => value.version === version) as T | undefined;
    },
    { deadlineMs: 90_000, what: `version ${version} of ${id} in ${topic}` },
  );
}

describe('tenants and keys', () => {
  it('are made by the operator, and a key is shown once and published as its hash', async () => {
    const { id, keyId, key } = await rig.tenant();
    expect(apiKeyIdOf(key)).toBe(keyId);
    const shown = await rig.operator.get(`/v1/tenants/${id}/keys/${keyId}`);
    expect(shown.body).toMatchObject({ id: keyId, tenantId: id, status: 'active', revokedAt: null });
    expect(JSON.stringify(shown.body)).not.toContain(key);
    expect(await published<CredentialRecord>(TOPICS.credentials, keyId, 1)).toEqual({
      v: 1,
      version: 1,
      id: keyId,
      tenant: id,
      hash: hashApiKey(key),
      status: 'active',
    });
  });

  it('a revoked key is refused at once, and published as revoked; revoking it again changes nothing', async () => {
    const { id, client, keyId } = await rig.tenant();
    expect((await client.get(`/v1/tenants/${id}/keys`)).status).toBe(200);
    expect((await client.delete(`/v1/tenants/${id}/keys/${keyId}`)).status).toBe(204);
    const refused = await client.get(`/v1/tenants/${id}/keys`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(await published<CredentialRecord>(TOPICS.credentials, keyId, 2)).toMatchObject({ status: 'revoked' });
    expect((await rig.operator.delete(`/v1/tenants/${id}/keys/${keyId}`)).status).toBe(204);
    expect((await rig.operator.get(`/v1/tenants/${id}/keys/${keyId}`)).body).toMatchObject({ status: 'revoked' });
  });

  it('pages through keys in the order of their making', async () => {
    const { id, client } = await rig.tenant();
    for (const name of ['b', 'c', 'd']) await client.post(`/v1/tenants/${id}/keys`, { name });
    const names: unknown[] = [];
    let query = '?limit=2';
    for (let page = 0; page < 5 && query !== ''; page += 1) {
      const { body } = await client.get(`/v1/tenants/${id}/keys${query}`);
      names.push(...(body['items'] as { name: string }[]).map((item) => item.name));
      query = body['nextCursor'] === null ? '' : `?limit=2&cursor=${String(body['nextCursor'])}`;
    }
    expect(names).toEqual(['a key of a test', 'b', 'c', 'd']);
  });

  it("a tenant's key sees nothing of another tenant, and may not see tenants at all", async () => {
    const mine = await rig.tenant();
    const other = await rig.tenant();
    const made = await other.client.post(SUBSCRIPTIONS, { url: 'https://example.com/' });
    const path = `${SUBSCRIPTIONS}/${String(made.body['id'])}`;
    expect((await mine.client.get(path)).status).toBe(404);
    expect((await mine.client.patch(path, { status: 'disabled' })).status).toBe(404);
    expect((await mine.client.delete(path)).status).toBe(404);
    expect((await mine.client.get(`/v1/tenants/${other.id}/keys`)).status).toBe(404);
    expect((await mine.client.get(`${SUBSCRIPTIONS}?tenantId=${other.id}`)).status).toBe(404);
    expect((await mine.client.get('/v1/tenants')).status).toBe(403);
    expect((await new ApiClient(rig.role.url).get(SUBSCRIPTIONS)).status).toBe(401);
    expect((await new ApiClient(rig.role.url, `${mine.key}x`).get(SUBSCRIPTIONS)).status).toBe(401);
  });
});

describe('subscriptions', () => {
  it('show their secret once, and reach the topic sealed, with the position from which they hold', async () => {
    const { id: tenantId, client } = await rig.tenant();
    const before = await endOffsets(TOPICS.events);
    const made = await client.post(SUBSCRIPTIONS, {
      url: 'https://example.com/hook',
      types: ['order.*', 'user.created'],
      headers: { 'X-Token': 'geheim' },
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('etag')).toBe('"1"');
    const { secret, id, ...shown } = made.body as { secret: string; id: string };
    const got = await client.get(`${SUBSCRIPTIONS}/${id}`);
    expect(got.body).toEqual({ id, ...shown });
    expect(got.body).toMatchObject({ tenantId, status: 'enabled', headerNames: ['X-Token'], version: 1 });

    const record = await published<SubscriptionRecord>(TOPICS.subscriptions, id, 1);
    expect(JSON.stringify(record)).not.toContain('geheim');
    const sealer = new Sealer(adminSettings(rig.database.url).sealing.keys);
    const secrets = JSON.parse(sealer.open(record.sealed, `${tenantId}/${id}`)) as SubscriptionSecrets;
    expect(secrets).toEqual({ secrets: [secret], headers: { 'X-Token': 'geheim' } });
    for (const [partition, offset] of before) expect(record.holdsFrom[partition]).toBeGreaterThanOrEqual(offset);
  });

  it('are changed under their version, and every change is published', async () => {
    const { client } = await rig.tenant();
    const made = await client.post(SUBSCRIPTIONS, { url: 'https://example.com/hook', headers: { a: '1' } });
    const path = `${SUBSCRIPTIONS}/${String(made.body['id'])}`;
    const changed = await client.patch(path, { status: 'disabled', types: ['a.b'] }, { 'if-match': '"1"' });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(changed.body).toMatchObject({ status: 'disabled', types: ['a.b'], headerNames: ['a'], version: 2 });
    const late = await client.patch(path, { status: 'enabled' }, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    expect((await client.delete(path, { 'if-match': 'W/"2"' })).status).toBe(412);
    expect((await client.delete(path, { 'if-match': '"1", "2"' })).status).toBe(204);
    expect((await client.get(path)).status).toBe(404);
    expect((await client.get(SUBSCRIPTIONS)).body).toEqual({ items: [], nextCursor: null });
    const id = String(made.body['id']);
    expect(await published(TOPICS.subscriptions, id, 2)).toMatchObject({ status: 'disabled', types: ['a.b'] });
    expect(await published(TOPICS.subscriptions, id, 3)).toMatchObject({ status: 'deleted' });
  });

  it('are as many as the setting says, also when they are made at once', async () => {
    const { client } = await rig.tenant();
    const body = { url: 'https://example.com/hook' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.post(SUBSCRIPTIONS, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 201, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ limit: 5 });
  });
});

describe('the API document', () => {
  it('describes bodies, parameters and answers from their schemas', async () => {
    const { body } = await new ApiClient(rig.role.url).get('/openapi.json');
    const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    expect(paths[SUBSCRIPTIONS]?.['post']?.['requestBody']).toMatchObject({
      content: { 'application/json': { schema: { additionalProperties: false, required: ['url'] } } },
    });
    expect(paths['/v1/deliveries']?.['get']?.['parameters']).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'state', in: 'query', required: false })]),
    );
    expect(paths['/v1/replays/{id}']?.['get']?.['responses']).toMatchObject({
      200: { content: { 'application/json': { schema: { required: expect.arrayContaining(['delivered']) } } } },
    });
    const page = await fetch(`${rig.role.url}/docs`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('swagger-ui');
  });
});
