import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const DRIP_MS = 1_000;

export const WAYS = ['hang', 'reset', 'drip', 'fail'] as const;
type Way = (typeof WAYS)[number];

/** Endpoints that are bad by the first part of their path, `/<way>/…`, until they are healed. */
export class BadEndpoints {
  /** Requests by way, while they are bad. */
  readonly met: Record<Way, number> = { hang: 0, reset: 0, drip: 0, fail: 0 };
  /** By path: the `webhook-id`s that were answered with 2xx, as a whole. */
  readonly accepted = new Map<string, Set<string>>();
  /** Of those that hang or drip: how many the sender has given up. */
  givenUp = 0;
  private healed = false;
  private readonly held = new Set<ServerResponse>();
  private readonly drips = new Set<NodeJS.Timeout>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<BadEndpoints> {
    const server = createServer();
    const endpoints = new BadEndpoints(server);
    server.on('request', (request, response) => endpoints.take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return endpoints;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Requests that hang or drip now. */
  get holding(): number {
    return this.held.size;
  }

  /** Lets go of what hangs, and answers well from now on. */
  heal(): void {
    this.healed = true;
    for (const response of this.held) response.destroy();
    for (const drip of this.drips) clearInterval(drip);
    this.held.clear();
  }

  async close(): Promise<void> {
    this.heal();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const path = request.url ?? '';
    if (this.healed) return this.accept(path, request, response);
    const way = path.split('/')[1] as Way;
    this.met[way]++;
    if (way === 'fail') response.writeHead(500).end();
    else if (way === 'reset') request.socket.resetAndDestroy();
    else this.hold(response, way);
  }

  private hold(response: ServerResponse, way: 'hang' | 'drip'): void {
    this.held.add(response);
    response.once('close', () => {
      if (this.held.delete(response)) this.givenUp++;
    });
    if (way === 'hang') return;
    // It says that it failed, and then can't end: so that what it was sent is still to come.
    response.writeHead(500);
    const drip = setInterval(() => response.write('.'), DRIP_MS);
    this.drips.add(drip);
    response.once('close', () => clearInterval(drip));
  }

  private accept(path: string, request: IncomingMessage, response: ServerResponse): void {
    const ids = this.accepted.get(path) ?? new Set();
    this.accepted.set(path, ids.add(String(request.headers['hookline-event-id'])));
    response.writeHead(204).end();
  }
}
