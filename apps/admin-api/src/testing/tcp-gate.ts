import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a role and PostgreSQL, and can be shut: refusing at once, or never answering. */
export class TcpGate {
  private state: 'open' | 'refusing' | 'hanging' = 'open';
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async open(url: string): Promise<TcpGate> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpGate(server, new URL(url));
  }

  /** The database's URL through the gate. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as { port: number }).port);
    return url.href;
  }

  refuse(): void {
    this.state = 'refusing';
    for (const socket of this.sockets) socket.destroy();
  }

  hang(): void {
    this.state = 'hanging';
  }

  /** What hung is cut, as by a server that comes back. */
  reopen(): void {
    for (const socket of this.sockets) socket.destroy();
    this.state = 'open';
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    if (this.state === 'refusing') {
      client.destroy();
      return;
    }
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => {
        if (this.state === 'open') to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
