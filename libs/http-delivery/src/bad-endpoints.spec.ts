import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testCertificate, waitUntil } from '@hookline/testing';
import { Endpoint } from './endpoint.js';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterEach(() => endpoints.close());

/** Writes the same again and again for as long as someone reads it. */
function flood(socket: Socket, start: string, again: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(again));
  };
  socket.write(start);
  socket.on('drain', more);
  more();
}

/** Writes a piece now and then. */
function drip(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on('close', () => clearInterval(timer));
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe('an endpoint that does not speak HTTP, or badly', () => {
  it.each<[string, string | Buffer, object]>([
    ['garbage', Buffer.from([0, 1, 2, 254, 255, 13, 10, 13, 10]), { error: 'protocol' }],
    ['another protocol', 'HELO smtp.example\r\n\r\n', { error: 'protocol' }],
    ['HTTP/0.9, a body and nothing else', '<html>hello</html>', { error: 'protocol' }],
    ['a version that is none', 'HTTP/9.9 200 OK\r\n\r\n', { error: 'protocol' }],
    ['a status that is none', 'HTTP/1.1 abc OK\r\n\r\n', { error: 'protocol' }],
    ['a header without a colon', `${OK}nonsense\r\n\r\n`, { error: 'protocol' }],
    ['a header of 1 MB', `${OK}x: ${'a'.repeat(1_048_576)}\r\n\r\n`, { error: 'response-too-large' }],
    ['a length and chunks', `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc`, { error: 'protocol' }],
    ['two lengths', `${OK}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`, { error: 'protocol' }],
    ['chunks of garbage', `${OK}transfer-encoding: chunked\r\n\r\nzzz\r\nabc\r\n`, { status: 200, error: 'protocol' }],
    ['a 100 that nobody asked for', 'HTTP/1.1 100 Continue\r\n\r\n', { error: 'protocol' }],
    [
      'a 101 that nobody asked for',
      'HTTP/1.1 101 X\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n',
      { error: 'protocol' },
    ],
    ['a 101 to nothing', 'HTTP/1.1 101 X\r\n\r\n', { error: 'protocol' }],
    ['a 204 with a body', 'HTTP/1.1 204 No\r\n\r\nabc', { status: 204 }],
    ['a 204 with a length', 'HTTP/1.1 204 No\r\ncontent-length: 3\r\n\r\nabc', { status: 204, error: 'protocol' }],
    [
      'a few 103 before the answer',
      `${'HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n'.repeat(3)}${OK}content-length: 0\r\n\r\n`,
      { status: 200 },
    ],
    ['more than its length', `${OK}content-length: 3\r\n\r\nabcdef`, { status: 200, body: 'abc' }],
  ])('%s', async (_name, answer, expected) => {
    const url = await endpoints.bytes(answer);
    expect(await send(endpoints.client(), url)).toEqual({ ...expected, durationMs: expect.any(Number) });
  });

  it.each<[string, string, string, object]>([
    [
      'headers',
      OK,
      'x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n',
      { error: 'response-too-large' },
    ],
    ['a header', `${OK}x: `, 'a'.repeat(4_096), { error: 'response-too-large' }],
    ['a status line', 'HTTP/1.1 200 ', 'a'.repeat(4_096), { error: 'response-too-large' }],
    ['103 answers', '', 'HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n', { error: 'protocol' }],
    ['the extension of a chunk', `${OK}transfer-encoding: chunked\r\n\r\n1;`, 'a'.repeat(4_096), { status: 200 }],
    [
      'trailers',
      `${OK}transfer-encoding: chunked\r\n\r\n0\r\n`,
      'x: aaaaaaaaaaaaaa\r\n',
      { status: 200, error: 'response-too-large' },
    ],
  ])('without an end: %s', async (_name, start, again, expected) => {
    const url = await endpoints.raw((socket) => flood(socket, start, again));
    expect(await send(endpoints.client(), url)).toEqual({ ...expected, durationMs: expect.any(Number) });
    const what = 'the connection to be given up';
    await waitUntil(() => endpoints.sockets.size === 0, { deadlineMs: 10_000, what });
  });
});

describe('an endpoint that ends the connection', () => {
  const cut = (socket: Socket): unknown => socket.resetAndDestroy();
  const after = (text: string, end: (socket: Socket) => unknown) => (socket: Socket) =>
    void socket.write(text, () => end(socket));
  const end = (socket: Socket): unknown => socket.end();
  it.each<[string, (socket: Socket) => void, object]>([
    ['resets it at once', cut, { error: 'connection-reset' }],
    ['closes it without a word', end, { error: 'connection-reset' }],
    ['within the status line', after('HTTP/1.1 2', end), { error: 'connection-reset' }],
    ['within a header', after(`${OK}x: y`, end), { error: 'connection-reset' }],
    [
      'within a body',
      after(`${OK}content-length: 9\r\n\r\nhalf`, end),
      { status: 200, error: 'connection-reset', body: 'half' },
    ],
    [
      'within a body, as it announced',
      after(`${OK}connection: close\r\ncontent-length: 9\r\n\r\nhalf`, end),
      { status: 200, error: 'protocol', body: 'half' },
    ],
    [
      'within a chunk',
      after(`${OK}transfer-encoding: chunked\r\n\r\n9\r\nhalf`, end),
      { status: 200, error: 'connection-reset', body: 'half' },
    ],
    ['where that is how the body ends', after(`${OK}\r\nall of it`, end), { status: 200, body: 'all of it' }],
  ])('%s', async (_name, answer, expected) => {
    expect(await send(endpoints.client(), await endpoints.raw(answer))).toEqual({
      ...expected,
      durationMs: expect.any(Number),
    });
  });

  it('resets it within a body: the status stands', async () => {
    const url = await endpoints.raw(
      after(`${OK}content-length: 9\r\n\r\nhalf`, (socket) => setTimeout(cut, 50, socket)),
    );
    expect(await send(endpoints.client(), url)).toMatchObject({ status: 200, error: 'connection-reset' });
  });

  it('resets it before the request', async () => {
    const url = `http://127.0.0.1:${await endpoints.listen(createServer((socket) => socket.resetAndDestroy()))}/`;
    expect(await send(endpoints.client(), url)).toMatchObject({ error: 'connection-reset' });
  });

  it('answers before it read the request, and does not read on', async () => {
    const client = endpoints.client();
    const url = await endpoints.raw((socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 no\r\ncontent-length: 0\r\n\r\n');
    });
    const endpoint = new Endpoint(url);
    const result = await client.send({ endpoint, headers: [], body: Buffer.alloc(64 * 1_048_576) });
    expect(result).toMatchObject({ status: 413 });
    // The next request would wait behind what is never read.
    expect(client.idleConnections).toBe(0);
  });
});

describe('an endpoint that takes its time', () => {
  it('accepts and says nothing: first-byte-timeout', async () => {
    const client = endpoints.client({ firstByteTimeoutMs: 100 });
    expect(await send(client, await endpoints.http(() => undefined))).toMatchObject({ error: 'first-byte-timeout' });
  });

  it('sends the status line in time and then nothing: timeout, of the whole attempt', async () => {
    const client = endpoints.client({ firstByteTimeoutMs: 100, attemptTimeoutMs: 400 });
    const result = await send(client, await endpoints.bytes(OK));
    expect(result).toEqual({ error: 'timeout', durationMs: expect.any(Number) });
    expect(result.durationMs).toBeGreaterThanOrEqual(399);
  });

  it.each([
    ['the head', OK, 'x', {}],
    ['the body', `${OK}content-length: 1000\r\n\r\n`, '.', { status: 200 }],
  ])('sends %s byte by byte: timeout', async (_name, start, piece, expected) => {
    const client = endpoints.client({ firstByteTimeoutMs: 100, attemptTimeoutMs: 400 });
    const url = await endpoints.raw((socket) => drip(socket, start, piece));
    expect(await send(client, url)).toMatchObject({ ...expected, error: 'timeout' });
  });

  it('counts the first byte from when the connection was open, not from the start', async () => {
    // TLS that is never answered is a connection that is never open.
    const port = await endpoints.listen(createServer(() => undefined));
    const late = endpoints.client({ firstByteTimeoutMs: 50, connectTimeoutMs: 500 });
    expect(await send(late, `https://127.0.0.1:${port}/`)).toMatchObject({ error: 'connect-timeout' });
  });

  it('gives up, by time or by call, a connection that is still being opened', async () => {
    const url = `https://127.0.0.1:${await endpoints.listen(createServer((socket) => socket.resume()))}/`;
    expect(await send(endpoints.client({ attemptTimeoutMs: 100 }), url)).toMatchObject({ error: 'timeout' });
    const abort = AbortSignal.timeout(100);
    expect(await send(endpoints.client(), url, abort)).toMatchObject({ error: 'aborted' });
    await waitUntil(() => endpoints.sockets.size === 0, { deadlineMs: 3_000, what: 'the half-open connection to go' });
  });
});

describe('an endpoint whose TLS fails', () => {
  const overTls = async (options: object): Promise<string> => {
    const server = createTlsServer(options, (socket) => socket.on('error', () => undefined).end());
    server.on('tlsClientError', () => undefined);
    return `https://127.0.0.1:${await endpoints.listen(server)}/`;
  };

  it('speaks plain HTTP, garbage, or hangs up', async () => {
    const client = endpoints.client();
    const port = await endpoints.listen(createHttpServer((_request, response) => response.end()));
    expect(await send(client, `https://127.0.0.1:${port}/`)).toMatchObject({ error: 'tls' });
    const garbage = new URL(await endpoints.bytes(Buffer.from([22, 3, 3, 0, 4, 255, 255, 255, 255, 0, 0])));
    expect(await send(client, `https://127.0.0.1:${garbage.port}/`)).toMatchObject({ error: 'tls' });
    const closing = new URL(await endpoints.raw((socket) => socket.end()));
    expect(await send(client, `https://127.0.0.1:${closing.port}/`)).toMatchObject({ error: 'connection-reset' });
  });

  it('has no certificate, or one that nobody signed, that is over, or that asks for one', async () => {
    const client = endpoints.client();
    const over = testCertificate({ notBefore: new Date('2001-01-01'), notAfter: new Date('2001-02-01') });
    for (const options of [{}, testCertificate(), over, { ...testCertificate(), minVersion: 'TLSv1.3' }])
      expect(await send(client, await overTls(options))).toMatchObject({ error: 'tls' });
  });
});

describe('an endpoint that is not there', () => {
  it('is refused, or has no name', async () => {
    const client = endpoints.client();
    const server = createServer();
    const port = await endpoints.listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await send(client, `http://127.0.0.1:${port}/`)).toMatchObject({ error: 'connection-refused' });
    expect(await send(client, 'http://nowhere.invalid/')).toMatchObject({ error: 'dns' });
  });
});
