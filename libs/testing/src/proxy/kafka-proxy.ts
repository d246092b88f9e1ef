import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line.js';
import { FrameHeaders } from './frame-headers.js';

const PRODUCE = 0;

/** As kafkajs makes sockets; declared here, so that this library needs no Kafka client. */
type SocketFactory = (target: { host: string; port: number; onConnect: () => void }) => Socket;

/**
 * Stands between a client and each of the brokers. It can cut a connection at the worst moment: the broker has
 * appended and answered, and the client never learns of it. It can hold a broker's answers back, and be slow.
 * Clients are led here by {@link socketFactory} or by {@link detours}, so the brokers' advertised addresses stay as they are.
 */
export class KafkaProxy {
  /** Connections cut between append and answer. */
  cuts = 0;
  /** Asked at each answer to a produce request. */
  shouldCut: () => boolean = () => false;
  /** What comes is passed on so much later, in both directions, ms. */
  delayMs = 0;
  private readonly ports = new Map<string, number>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly held = new Map<string, (() => void)[]>();

  private constructor() {}

  /** @param brokers `host:port`, as the brokers advertise themselves */
  static async start(brokers: readonly string[]): Promise<KafkaProxy> {
    const proxy = new KafkaProxy();
    for (const broker of brokers) await proxy.listen(broker);
    return proxy;
  }

  readonly socketFactory: SocketFactory = ({ host, port, onConnect }) => {
    const through = this.ports.get(`${host}:${port}`);
    if (through === undefined) throw new Error(`the proxy doesn't know ${host}:${port}`);
    return connect({ host: '127.0.0.1', port: through }, onConnect);
  };

  /** By broker, `host:port`: the port of this machine that leads there through the proxy. */
  get detours(): ReadonlyMap<string, number> {
    return this.ports;
  }

  /** From now on the client hears nothing from this broker, until {@link release}. */
  hold(broker: string): void {
    this.held.set(broker, []);
  }

  release(broker: string): void {
    const waiting = this.held.get(broker) ?? [];
    this.held.delete(broker);
    for (const forward of waiting) forward();
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(broker: string): Promise<void> {
    const server = createServer((client) => this.join(broker, client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.servers.push(server);
    this.ports.set(broker, (server.address() as AddressInfo).port);
  }

  private join(broker: string, client: Socket): void {
    const [host, port] = broker.split(':') as [string, string];
    const upstream = connect({ host, port: Number(port) });
    const produces = new Set<number>();
    const requests = new FrameHeaders();
    const answers = new FrameHeaders();
    const [there, back] = [new DelayLine(), new DelayLine()];
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      for (const { apiKey, requestId } of requests.push(chunk)) if (apiKey === PRODUCE) produces.add(requestId);
      there.push(this.delayMs, () => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => {
      for (const { answerId } of answers.push(chunk)) {
        if (!produces.delete(answerId) || !this.shouldCut()) continue;
        this.cuts += 1;
        return end();
      }
      const waiting = this.held.get(broker);
      if (waiting) waiting.push(() => client.write(chunk));
      else back.push(this.delayMs, () => client.write(chunk));
    });
  }
}
