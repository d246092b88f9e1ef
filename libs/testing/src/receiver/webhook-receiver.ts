import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { distinct } from '../distinct.js';
import { waitUntil } from '../wait-until.js';
import type { Answer, Behaviour, ReceivedRequest } from './behaviour.js';

/** For everything that must happen on a busy machine. */
const PATIENCE_MS = 90_000;

/** An endpoint on loopback that keeps all it gets: the truth that a test compares everything else with. */
export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  private server: Server | undefined;
  private port = 0;

  private constructor(private behaviour: Behaviour) {}

  static async start(behaviour: Behaviour = () => ({})): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(behaviour);
    await receiver.open();
    return receiver;
  }

  /** Where to send to; the same after {@link close} and {@link open}. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** How it answers from now on. */
  behave(behaviour: Behaviour | Answer): void {
    this.behaviour = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  /** The requests that it answered with 2xx. */
  get accepted(): ReceivedRequest[] {
    return this.requests.filter(({ status }) => status !== undefined && status >= 200 && status < 300);
  }

  /** Each attempt once, in order: a worker that lost its lease while the machine stood still makes one again, with the same body. */
  get attempts(): ReceivedRequest[] {
    const idOf = ({ path, id, headers }: ReceivedRequest): string => `${path} ${id} ${headers['hookline-attempt']}`;
    return distinct(this.requests, idOf, ({ body }) => body);
  }

  /** Each `webhook-id` that was accepted, with how often. */
  acceptedIds(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { id } of this.accepted) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }

  /** Waits for this many distinct ids to be accepted. */
  async waitForIds(count: number, deadlineMs = PATIENCE_MS): Promise<Set<string>> {
    await waitUntil(() => this.acceptedIds().size >= count, {
      deadlineMs,
      what: `${count} distinct webhooks (${this.url})`,
      seen: () => this.seen(),
    });
    return new Set(this.acceptedIds().keys());
  }

  /** Waits for this many requests, whatever they were answered with. */
  async waitForRequests(count: number, deadlineMs = PATIENCE_MS): Promise<readonly ReceivedRequest[]> {
    await waitUntil(() => this.requests.length >= count, {
      deadlineMs,
      what: `${count} requests (${this.url})`,
      seen: () => this.seen(),
    });
    return this.requests;
  }

  /** In words, for a wait that was in vain. */
  seen(): string {
    return `${this.acceptedIds().size} distinct ones accepted, in ${this.requests.length} requests`;
  }

  /** Listens again, on the port that it had. */
  async open(): Promise<void> {
    if (this.server) return;
    const server = createServer((request, response) => void this.take(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** As if it were killed: connections are cut, new ones are refused. */
  async close(): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the sender is gone before the body was
    }
    const headers = request.headers as Record<string, string>;
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers,
      body: Buffer.concat(chunks),
      at,
      id: headers['webhook-id'] ?? '',
    };
    this.requests.push(received);
    response.once('close', () => (received.over = true));
    const answer = await this.behaviour(received);
    if (answer.delayMs) await new Promise((resolve) => setTimeout(resolve, answer.delayMs));
    if (answer.hang) return;
    if (answer.cut || response.destroyed) return void request.socket.destroy();
    received.status = answer.status ?? 204;
    response.writeHead(received.status, answer.headers).end(answer.body);
  }
}
