import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { LeanClient } from './load/lean-client.js';
import { leanServer, valueOf } from './receiver/lean-server.js';

const listen = async (server: { listen(port: number, host: string): unknown }): Promise<URL> => {
  server.listen(0, '127.0.0.1');
  await once(server as Server, 'listening');
  return new URL(`http://127.0.0.1:${((server as Server).address() as AddressInfo).port}`);
};

describe('the lean client', () => {
  it('sends as many at once as it may, and reads each answer', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push(`${request.url} ${request.headers['x-own']} ${body}`);
        response.writeHead(202, { 'content-length': body.length }).end(body);
      });
    });
    const client = new LeanClient(await listen(server), '/a', ['x-own: yes'], 2);
    const answers = await Promise.all(['one', 'two', 'three', 'four'].map((body) => client.post(body)));
    expect(answers).toEqual(['one', 'two', 'three', 'four'].map((body) => ({ status: 202, body })));
    expect(seen.toSorted()).toEqual(['/a yes four', '/a yes one', '/a yes three', '/a yes two']);
    client.close();
    server.close();
  });

  it('tells a connection that broke, and goes on with another', async () => {
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      if (count === 1) request.socket.destroy();
      else response.writeHead(200, { 'content-length': 0 }).end();
    });
    const client = new LeanClient(await listen(server), '/', [], 1);
    const statuses = (await Promise.all([client.post('a'), client.post('b')])).map(({ status }) => status);
    expect(statuses).toEqual([0, 200]);
    client.close();
    server.close();
  });
});

describe('the lean client, after a pause', () => {
  it('takes no connection that the server has closed meanwhile', async () => {
    const closed: Promise<unknown>[] = [];
    const server = createServer((request, response) => {
      closed.push(once(request.socket, 'close'));
      response.writeHead(200, { 'content-length': 0 }).end(() => request.socket.end());
    });
    const client = new LeanClient(await listen(server), '/', [], 1);
    const first = await client.post('a');
    await closed[0];
    await new Promise(setImmediate);
    const second = await client.post('b');
    client.close();
    server.close();
    expect([first.status, second.status]).toEqual([200, 200]);
  });
});

describe('the lean server', () => {
  it('takes requests however they are cut, and answers each', async () => {
    const heads: string[] = [];
    const server = leanServer((head) => void heads.push(head));
    const { port } = await listen(server);
    const socket = connect(Number(port), '127.0.0.1');
    const text = ['a', 'b', 'c']
      .map((id) => `POST / HTTP/1.1\r\ncontent-length: 3\r\nhookline-event-id: ${id}\r\n\r\nxyz`)
      .join('');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
    for (const piece of [text.slice(0, 30), text.slice(30, 75), text.slice(75)]) {
      socket.write(piece);
      await new Promise(setImmediate);
    }
    while (received.split('204').length < 4) await once(socket, 'data');
    expect(heads.map((head) => valueOf(head, 'hookline-event-id'))).toEqual(['a', 'b', 'c']);
    socket.destroy();
    server.close();
  });
});
