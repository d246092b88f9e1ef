import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@hookline/testing';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterEach(() => endpoints.close());

const DEADLINE_MS = 20_000;
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Origins of one server: 127.0.0.x, at its port. */
async function origins(count: number): Promise<string[]> {
  const server = createHttpServer((_request, response) => response.end());
  const port = await endpoints.listen(server, '0.0.0.0');
  return Array.from({ length: count }, (_, n) => `http://127.0.${1 + Math.floor(n / 200)}.${1 + (n % 200)}:${port}/`);
}

describe('the connections to many origins', () => {
  it('keeps a bounded number of idle ones over all origins, the most recently used', async () => {
    const client = endpoints.client({ idleConnections: 50 });
    const urls = await origins(300);
    // All at once: as many connections as there are requests.
    const results = await Promise.all(urls.map((url) => send(client, url)));
    expect(results.map(({ status }) => status)).toEqual(urls.map(() => 200));
    expect(client.idleConnections).toBe(50);
    const what = 'the others to be closed';
    await waitUntil(() => endpoints.sockets.size === 50, { deadlineMs: DEADLINE_MS, what });
    for (const url of urls) await send(client, url);
    await waitUntil(() => endpoints.sockets.size === 50, { deadlineMs: DEADLINE_MS, what });
    const before = new Set(endpoints.sockets);
    for (const url of urls.slice(-50)) await send(client, url);
    expect([...endpoints.sockets].filter((socket) => !before.has(socket))).toEqual([]);
  });

  it('keeps those of a bounded number of origins', async () => {
    const client = endpoints.client({ maxOrigins: 2 });
    for (const url of await origins(5)) await Promise.all([send(client, url), send(client, url), send(client, url)]);
    expect(client.idleConnections).toBe(6);
    const what = 'the connections of the others to be closed';
    await waitUntil(() => endpoints.sockets.size === 6, { deadlineMs: DEADLINE_MS, what });
  });

  it('closes none with a request for the sake of another', async () => {
    const client = endpoints.client({ maxOrigins: 1, idleConnections: 1 });
    const held: ServerResponse[] = [];
    const slow = await endpoints.http((_request, response) => void held.push(response));
    const flying = [send(client, slow), send(client, slow)];
    await waitUntil(() => held.length === 2, { deadlineMs: DEADLINE_MS, what: 'the slow requests' });
    for (const url of await origins(5)) expect(await send(client, url)).toMatchObject({ status: 200 });
    for (const response of held) response.end('late');
    for (const result of await Promise.all(flying)) expect(result).toMatchObject({ status: 200, body: 'late' });
    expect(client.idleConnections).toBe(1);
  });

  it('lets an idle one go when its time is over, however long the endpoint would keep it, or when it says so', async () => {
    const client = endpoints.client({ keepAliveMs: 50 });
    const server = createHttpServer({ keepAliveTimeout: 600_000 }, (_request, response) => response.end());
    await send(client, `http://127.0.0.1:${await endpoints.listen(server)}/`);
    await waitUntil(() => client.idleConnections === 0, { deadlineMs: DEADLINE_MS, what: 'its time to be over' });
    const closing = await endpoints.http((_request, response) =>
      response.writeHead(200, { connection: 'close' }).end('bye'),
    );
    expect(await send(client, closing)).toMatchObject({ status: 200, body: 'bye' });
    expect(client.idleConnections).toBe(0);
  });
});

describe('a connection that is used again', () => {
  it('is replaced where the endpoint closed it while it was idle, and the request is sent once', async () => {
    const client = endpoints.client();
    let asked = 0;
    const url = await endpoints.http((_request, response) => {
      asked++;
      response.end();
    });
    await send(client, url);
    // Not awaited: the request that follows may find it closed, closing, or still open on this side.
    for (let n = 2; n < 50; n++) {
      for (const socket of endpoints.sockets) {
        if (n % 2) socket.end();
        else socket.destroy();
      }
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      const result = await send(client, url);
      // Nothing of it was sent, or nothing says whether the endpoint acted on it: then it is no second request here.
      if (result.error === undefined) expect(result).toMatchObject({ status: 200 });
      else expect(result).toMatchObject({ error: 'connection-reset' });
      expect(asked).toBeLessThanOrEqual(n);
    }
  });

  it('is closed without an answer to its second request: that one fails, and is not repeated', async () => {
    const client = endpoints.client();
    let requests = 0;
    const answer = (socket: Socket): void =>
      void socket.on('data', () => (++requests === 2 ? socket.end() : socket.write(ANSWER)));
    const url = `http://127.0.0.1:${await endpoints.listen(createServer(answer))}/`;
    expect(await send(client, url)).toMatchObject({ status: 200 });
    expect(await send(client, url)).toMatchObject({ error: 'connection-reset' });
    expect(requests).toBe(2);
  });

  it.each([
    ['in the same breath', (socket: Socket, second: string) => void socket.write(ANSWER + second)],
    ['a moment later', (socket: Socket, second: string) => void socket.write(ANSWER, () => socket.write(second))],
  ])('does not take what came after an answer, %s, for the next answer', async (_name, answer) => {
    const evil = 'HTTP/1.1 410 Gone\r\ncontent-length: 4\r\n\r\nevil';
    for (const second of [evil, 'garbage', evil.slice(0, 12)]) {
      const client = endpoints.client();
      const port = await endpoints.listen(createServer((socket) => socket.on('data', () => answer(socket, second))));
      for (let n = 0; n < 4; n++) {
        expect(await send(client, `http://127.0.0.1:${port}/`)).toMatchObject({ status: 200, body: 'ok' });
        const what = 'the connection with too much on it to be cut';
        await waitUntil(() => client.idleConnections === 0, { deadlineMs: DEADLINE_MS, what });
      }
    }
  });
});
