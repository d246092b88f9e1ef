import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { AddressGuard } from '../address-guard.js';
import { Endpoint } from '../endpoint.js';
import { EndpointClient, type EndpointClientSettings, type SendResult } from '../endpoint-client.js';

const SETTINGS: EndpointClientSettings = {
  attemptTimeoutMs: 20_000,
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 20_000,
  keepAliveMs: 4_000,
  maxOrigins: 1_000,
  idleConnections: 1_000,
  keepBytes: 32,
  readBytes: 65_536,
  responseHeaderBytes: 0,
  allowCidrs: ['127.0.0.0/8'],
};

/** Endpoints of a test, good and bad, and clients to send to them; `close` ends them all. */
export class TestEndpoints {
  /** What is open at the servers' side. */
  readonly sockets = new Set<Socket>();
  private readonly closers: (() => Promise<unknown>)[] = [];

  client(settings: Partial<EndpointClientSettings> = {}, guard?: AddressGuard): EndpointClient {
    const client = new EndpointClient({ ...SETTINGS, ...settings }, guard);
    this.closers.push(() => client.close());
    return client;
  }

  /** @returns the port */
  async listen(server: Server | HttpServer, address = '127.0.0.1'): Promise<number> {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      // A test's client may cut it at any time.
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    this.closers.push(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }

  async http(listener: RequestListener): Promise<string> {
    return `http://127.0.0.1:${await this.listen(createHttpServer(listener))}/hook?a=1`;
  }

  /** A server that answers a connection's first bytes by hand. */
  async raw(answer: (socket: Socket) => void): Promise<string> {
    return `http://127.0.0.1:${await this.listen(createServer((socket) => socket.once('data', () => answer(socket))))}/`;
  }

  /** A server that writes the same bytes for whatever it reads. */
  async bytes(answer: string | Buffer): Promise<string> {
    return this.raw((socket) => socket.write(answer));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    for (const close of this.closers.splice(0).reverse()) await close();
  }
}

export function send(client: EndpointClient, url: string, signal?: AbortSignal): Promise<SendResult> {
  return client.send({
    endpoint: new Endpoint(url),
    headers: ['content-type', 'application/json', 'webhook-id', 'msg_a'],
    body: Buffer.from('{"a": 1.0}'),
    ...(signal ? { signal } : {}),
  });
}
