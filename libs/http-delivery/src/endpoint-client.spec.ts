import type { lookup as systemLookup } from 'node:dns';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AddressGuard } from './address-guard.js';
import { Endpoint } from './endpoint.js';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterEach(() => endpoints.close());

describe('EndpointClient', () => {
  it('sends bytes and headers as they are, and uses connections again', async () => {
    const seen: { url?: string; method?: string; headers: unknown; body: string; port?: number }[] = [];
    const url = await endpoints.http(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push({
        url: request.url ?? '',
        method: request.method ?? '',
        headers: request.headers,
        body,
        port: request.socket.remotePort ?? 0,
      });
      response.end('fine');
    });
    const client = endpoints.client();
    expect(await send(client, url)).toMatchObject({ status: 200, body: 'fine' });
    for (let n = 0; n < 9; n++) await send(client, url);
    expect(seen[0]).toMatchObject({ url: '/hook?a=1', method: 'POST', body: '{"a": 1.0}' });
    expect(seen[0]?.headers).toEqual({
      host: new URL(url).host,
      connection: 'keep-alive',
      'content-length': '10',
      'content-type': 'application/json',
      'webhook-id': 'msg_a',
    });
    expect(new Set(seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
  });

  it('reads Retry-After of what is no success, as it came, whatever the letters of its name', async () => {
    const client = endpoints.client();
    const answer = (status: number, name: string, value: string): Promise<string> =>
      endpoints.http((_request, response) => response.writeHead(status, { 'x-other': '1', [name]: value }).end());
    expect(await send(client, await answer(429, 'rEtRy-AfTeR', '120'))).toMatchObject({ retryAfter: '120' });
    const date = 'Fri, 31 Dec 1999 23:59:59 GMT';
    expect(await send(client, await answer(503, 'Retry-After', date))).toMatchObject({ status: 503, retryAfter: date });
    expect(await send(client, await answer(404, 'Retry-After', 'soon'))).toMatchObject({ retryAfter: 'soon' });
    const without = [
      await send(client, await answer(200, 'Retry-After', '120')),
      await send(client, await answer(503, 'retry-afteR-', '120')),
      await send(client, await answer(503, 'Retry-After', '1'.repeat(65))),
    ];
    for (const result of without) expect(result).not.toHaveProperty('retryAfter');
  });

  it('takes no more requests once it was closed, and ends those in flight', async () => {
    const client = endpoints.client();
    const asked = new Promise<string>((resolve) => {
      const url = endpoints.http(() => url.then(resolve));
      void url.then((at) => send(client, at));
    });
    const url = await asked;
    const flying = send(client, url);
    await client.close();
    expect(await flying).toMatchObject({ error: 'aborted' });
    expect(await send(client, url)).toMatchObject({ error: 'aborted' });
  });

  it('does not follow a redirect', async () => {
    let asked = 0;
    const url = await endpoints.http((_request, response) => {
      asked++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await send(endpoints.client(), url)).toMatchObject({ status: 307 });
    expect(asked).toBe(1);
  });

  it('refuses private addresses, by number and by name', async () => {
    const url = await endpoints.http((_request, response) => response.end());
    const { port } = new URL(url);
    const client = endpoints.client({ allowCidrs: [] });
    for (const host of [
      ...['127.0.0.1', '127.1', '127.0.0.1.', '2130706433', '0x7f.1', '017700000001', '0', '169.254.169.254'],
      ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[::1]', '[::]', '[fe80::1]', '[fd00::1]'],
      ...['localhost', 'LOCALHOST'],
    ])
      expect(await send(client, `http://${host}:${port}/`)).toMatchObject({ error: 'address-refused' });
    expect(await send(endpoints.client(), `http://localhost:${port}/`)).toMatchObject({ status: 200 });
  });

  it('looks at the address of each connection anew: a name that changes it gains nothing', async () => {
    const asked: string[] = [];
    const answers = ['127.0.0.1', '10.0.0.1', '127.0.0.1'];
    const resolve = ((host: string, _options: object, done: (error: null, found: object[]) => void) => {
      asked.push(host);
      done(null, [{ address: answers[asked.length - 1], family: 4 }]);
    }) as unknown as typeof systemLookup;
    const client = endpoints.client({}, new AddressGuard(['127.0.0.0/8'], resolve));
    const url = await endpoints.http((_request, response) => response.writeHead(200, { connection: 'close' }).end());
    const { port } = new URL(url);
    for (const expected of [{ status: 200 }, { error: 'address-refused' }, { status: 200 }])
      expect(await send(client, `http://rebinding.test:${port}/`)).toMatchObject(expected);
    expect(asked).toHaveLength(3);
  });

  it('is called off by a signal, before and while it sends', async () => {
    const client = endpoints.client();
    expect(await send(client, await endpoints.http(() => undefined), AbortSignal.abort())).toMatchObject({
      error: 'aborted',
    });
    const controller = new AbortController();
    const url = await endpoints.http(() => controller.abort());
    expect(await send(client, url, controller.signal)).toMatchObject({ error: 'aborted' });
  });

  it('never rejects, whatever the headers are', async () => {
    const url = await endpoints.http((_request, response) => response.end());
    const result = await endpoints.client().send({
      endpoint: new Endpoint(url),
      headers: ['bad header', 'a\nb'],
      body: Buffer.from('{}'),
    });
    expect(result).toMatchObject({ error: 'other' });
  });

  it('takes http and https only', () => {
    expect(() => new Endpoint('ftp://example.com/')).toThrow('ftp://example.com/ is not http or https');
    expect(() => new Endpoint('nonsense')).toThrow('Invalid URL');
  });
});
