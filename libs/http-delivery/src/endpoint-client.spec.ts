import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Endpoint } from './endpoint.js';
import { EndpointClient, type EndpointClientSettings, type SendResult } from './endpoint-client.js';

const SETTINGS: EndpointClientSettings = {
  attemptTimeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  keepAliveMs: 4_000,
  firstByteTimeoutMs: 10_000,
  maxOrigins: 4,
  idleConnections: 1_000,
  keepBytes: 32,
  readBytes: 65_536,
  allowCidrs: ['127.0.0.0/8'],
};

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function clientWith(settings: Partial<EndpointClientSettings> = {}): EndpointClient {
  const client = new EndpointClient({ ...SETTINGS, ...settings });
  closers.push(() => client.close());
  return client;
}

async function listen(server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // A test's client may cut it at any time.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const http = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(createHttpServer(listener))}/hook?a=1`;

/** A server that answers a connection's first bytes by hand. */
const raw = async (answer: (socket: Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer((socket) => socket.once('data', () => answer(socket))))}/`;

const send = (client: EndpointClient, url: string, signal?: AbortSignal): Promise<SendResult> =>
  client.send({
    endpoint: new Endpoint(url),
    headers: ['content-type', 'application/json', 'webhook-id', 'msg_a'],
    body: Buffer.from('{"a": 1.0}'),
    ...(signal ? { signal } : {}),
  });

describe('EndpointClient', () => {
  it('sends bytes and headers as they are, and uses connections again', async () => {
    const seen: { url?: string; method?: string; headers: unknown; body: string; port?: number }[] = [];
    const url = await http(async (request, response) => {
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
    const client = clientWith();
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

  it('keeps the beginning of a body, and gives the connection up where it does not end', async () => {
    let cut = false;
    const url = await http((_request, response) => {
      response.on('close', () => (cut = true));
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    expect(await send(clientWith(), url)).toMatchObject({ status: 200, body: 'x'.repeat(32) });
    while (!cut) await new Promise((resolve) => setImmediate(resolve));
  });

  it('does not follow a redirect', async () => {
    let asked = 0;
    const url = await http((_request, response) => {
      asked++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await send(clientWith(), url)).toMatchObject({ status: 307 });
    expect(asked).toBe(1);
  });

  it.each<[string, (socket: Socket) => void, object]>([
    ['protocol', (socket) => socket.end('HELO smtp.example\r\n\r\n'), { error: 'protocol' }],
    ['connection-reset', (socket) => socket.resetAndDestroy(), { error: 'connection-reset' }],
    ['connection-reset, closed in silence', (socket) => socket.end(), { error: 'connection-reset' }],
    [
      'response-too-large',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_048_576)}\r\n\r\n`),
      { error: 'response-too-large' },
    ],
    [
      'a status with half a body',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', () => socket.resetAndDestroy()),
      { status: 200, error: 'connection-reset' },
    ],
  ])('names what it met: %s', async (_name, answer, expected) => {
    expect(await send(clientWith(), await raw(answer))).toMatchObject(expected);
  });

  it('gives up on silence and on a drip, at one deadline for the whole attempt', async () => {
    const client = clientWith({ attemptTimeoutMs: 300 });
    expect(await send(client, await http(() => undefined))).toMatchObject({ error: 'timeout' });
    const drip = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const timer = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await send(client, drip)).toMatchObject({ status: 200, error: 'timeout' });
    const dripOfHead = await raw((socket) => {
      const timer = setInterval(() => socket.write('H'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    const { error, status } = await send(client, dripOfHead);
    expect(status).toBeUndefined();
    expect(['timeout', 'protocol']).toContain(error);
  });

  it('names a refused connection, an unknown name and a failed TLS', async () => {
    const client = clientWith();
    const port = await listen(createServer());
    await closers.pop()?.();
    expect(await send(client, `http://127.0.0.1:${port}/`)).toMatchObject({ error: 'connection-refused' });
    expect(await send(client, 'http://nowhere.invalid/')).toMatchObject({ error: 'dns' });
    const plain = new URL(await http((_request, response) => response.end()));
    expect(await send(client, `https://127.0.0.1:${plain.port}/`)).toMatchObject({ error: 'tls' });
    // Without a certificate it can only refuse the handshake.
    const tls = createTlsServer({});
    tls.on('tlsClientError', () => undefined);
    expect(await send(client, `https://127.0.0.1:${await listen(tls)}/`)).toMatchObject({ error: 'tls' });
  });

  it('refuses private addresses, by number and by name', async () => {
    const url = await http((_request, response) => response.end());
    const { port } = new URL(url);
    const client = clientWith({ allowCidrs: [] });
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]', 'localhost'])
      expect(await send(client, `http://${host}:${port}/`)).toMatchObject({ error: 'address-refused' });
    expect(await send(clientWith(), `http://localhost:${port}/`)).toMatchObject({ status: 200 });
  });

  it('is called off by a signal, before and while it sends', async () => {
    const client = clientWith();
    expect(await send(client, await http(() => undefined), AbortSignal.abort())).toMatchObject({ error: 'aborted' });
    const controller = new AbortController();
    const url = await http(() => controller.abort());
    expect(await send(client, url, controller.signal)).toMatchObject({ error: 'aborted' });
  });

  it('never rejects, whatever the headers are', async () => {
    const url = await http((_request, response) => response.end());
    const result = await clientWith().send({
      endpoint: new Endpoint(url),
      headers: ['bad header', 'a\nb'],
      body: Buffer.from('{}'),
    });
    expect(result).toMatchObject({ error: 'other' });
  });

  it('keeps the connections of a bounded number of origins', async () => {
    const client = clientWith({ maxOrigins: 2 });
    const urls = await Promise.all([1, 2, 3].map(() => http((_request, response) => response.end())));
    for (const url of [...urls, ...urls]) expect(await send(client, url)).toMatchObject({ status: 200 });
    expect(client.origins).toBe(2);
  });

  it('takes http and https only', () => {
    expect(() => new Endpoint('ftp://example.com/')).toThrow('ftp://example.com/ is not http or https');
    expect(() => new Endpoint('nonsense')).toThrow('Invalid URL');
  });
});
