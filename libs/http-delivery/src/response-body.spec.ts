import { afterEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@hookline/testing';
import type { Socket } from 'node:net';
import { KeptBody } from './kept-body.js';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterEach(() => endpoints.close());

const allClosed = (): Promise<unknown> =>
  waitUntil(() => endpoints.sockets.size === 0, { deadlineMs: 10_000, what: 'the connection to be given up' });

/** Writes a body for as long as someone reads it. */
function flood(socket: Socket, chunk: Buffer | string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

describe('the body of an answer', () => {
  it('keeps its beginning, reads on to the bound, and then gives the connection up', async () => {
    const client = endpoints.client({ keepBytes: 16_384, readBytes: 40_000 });
    const within = await endpoints.http((_request, response) => response.end('x'.repeat(40_000)));
    expect(await send(client, within)).toMatchObject({ status: 200, body: 'x'.repeat(16_384) });
    expect(client.idleConnections).toBe(1);
    const beyond = await endpoints.http((_request, response) => {
      response.write('y'.repeat(40_001));
    });
    expect(await send(client, beyond)).toMatchObject({ status: 200, body: 'y'.repeat(16_384) });
    expect(client.idleConnections).toBe(1);
  });

  it('gives a body of 100 MB up, with the beginning of it', async () => {
    const url = await endpoints.raw((socket) => {
      socket.write('HTTP/1.1 500 no\r\ntransfer-encoding: chunked\r\n\r\n');
      flood(socket, `10000\r\n${'z'.repeat(65_536)}\r\n`);
    });
    const result = await send(endpoints.client({ keepBytes: 1_000 }), url);
    expect(result).toEqual({ status: 500, body: 'z'.repeat(1_000), durationMs: expect.any(Number) });
    await allClosed();
  });

  it('does not wait for the body of a success that says it is too long', async () => {
    const url = await endpoints.bytes('HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n');
    expect(await send(endpoints.client(), url)).toEqual({ status: 200, durationMs: expect.any(Number) });
    await allClosed();
  });

  it('reads of a failure that says it is too long what is kept, and no more', async () => {
    const client = endpoints.client({ keepBytes: 10 });
    const url = await endpoints.bytes('HTTP/1.1 500 no\r\nContent-Length: 104857600\r\n\r\nout of memory');
    expect(await send(client, url)).toMatchObject({ status: 500, body: 'out of mem' });
    await allClosed();
  });

  it('is not fooled by a length that is none, or as long as can be', async () => {
    const client = endpoints.client();
    const vast = await endpoints.bytes(`HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(18)}\r\n\r\n`);
    expect(await send(client, vast)).toMatchObject({ status: 200 });
    for (const length of ['-1', '0x10', '1e3', '99999999999999999999999999', '5, 5'])
      expect(await send(client, await endpoints.bytes(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`))).toEqual(
        {
          error: 'protocol',
          durationMs: expect.any(Number),
        },
      );
  });

  it('is put together from any pieces', () => {
    const kept = new KeptBody(10);
    for (const piece of ['a', 'bc', '', 'defghi', 'jklm', 'n']) kept.add(Buffer.from(piece));
    expect(kept.toString()).toBe('abcdefghij');
    expect(kept.full).toBe(true);
    const one = new KeptBody(4);
    one.add(Buffer.from('abcdef'));
    expect(one.toString()).toBe('abcd');
    expect(new KeptBody(4).toString()).toBe('');
  });
});
