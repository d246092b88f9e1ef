import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifySignature } from '@hookline/domain';

/** A webhook as it came. */
export interface Received {
  /** The `webhook-id`. */
  id: string;
  eventId: string;
  type: string;
  attempt: number;
  replayId: string | undefined;
  /** Milliseconds since the epoch. */
  at: number;
  accepted: boolean;
  genuine: boolean;
}

/** A customer's endpoint: it checks signatures, and can fail or be gone. */
export class Endpoint {
  readonly received: Received[] = [];
  failing = false;
  /** The subscription's signing secret. */
  secret = '';
  private server: Server | undefined;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/webhooks`;
  }

  /** Listens; the second time on the same port. */
  async open(): Promise<void> {
    const server = createServer((request, response) => void this.take(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** As if it were killed. */
  async kill(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const header = (name: string): string | undefined => request.headers[name] as string | undefined;
    const message = { headers: request.headers, body: Buffer.concat(chunks) };
    const accepted = !this.failing;
    this.received.push({
      id: header('webhook-id') ?? '',
      eventId: header('hookline-event-id') ?? '',
      type: header('hookline-event-type') ?? '',
      attempt: Number(header('hookline-attempt')),
      replayId: header('hookline-replay-id'),
      at,
      accepted,
      genuine: verifySignature(message, this.secret, at) === 'valid',
    });
    response.writeHead(accepted ? 204 : 500).end();
  }
}
