import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** For what a client does at its end, ms. */
const LAST_MS = 200;

/** A way to the brokers that can go dead: nothing passes in either direction, and no connection is closed. */
export class SwitchedNetwork {
  private readonly ports = new Map<string, number>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private dead = false;
  private stopped = false;

  static async start(brokers: readonly string[]): Promise<SwitchedNetwork> {
    const network = new SwitchedNetwork();
    for (const broker of brokers) await network.listen(broker);
    return network;
  }

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    if (this.stopped) return shortLived(host, port, onConnect);
    const through = this.ports.get(`${host}:${port}`);
    if (through === undefined) throw new Error(`no way to ${host}:${port}`);
    return connect({ host: '127.0.0.1', port: through }, onConnect);
  };

  goDead(): void {
    this.dead = true;
  }

  /** What was lost meanwhile stays lost: the connections are closed, and the client makes new ones. */
  comeBack(): void {
    this.dead = false;
    for (const socket of this.sockets) socket.destroy();
  }

  /**
   * What a client still does then, it does at the brokers themselves, and quickly: refused, kafkajs would try for minutes after
   * the test, and a connection that it makes while it disconnects it never closes.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    this.comeBack();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(broker: string): Promise<void> {
    const [host, port] = broker.split(':') as [string, string];
    const server = createServer((client) => {
      const upstream = connect({ host, port: Number(port) });
      this.carry(client, upstream);
      this.carry(upstream, client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.servers.push(server);
    this.ports.set(broker, (server.address() as AddressInfo).port);
  }

  private carry(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => this.dead || to.write(chunk));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}

function shortLived(host: string, port: number, onConnect: () => void): Socket {
  const socket = connect({ host, port }, onConnect);
  const timer = setTimeout(() => socket.destroy(new Error('the test is over')), LAST_MS);
  socket.once('close', () => clearTimeout(timer));
  return socket;
}
