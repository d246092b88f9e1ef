import { connect, type Socket } from 'node:net';

export interface LeanAnswer {
  /** 0: the connection broke before the answer was there. */
  status: number;
  body: string;
}

/**
 * An HTTP/1.1 client that knows as much as a load generator needs, so that what is measured is not the generator:
 * one request at a time on each connection, answers with a content-length, nothing but ASCII.
 */
export class LeanClient {
  private readonly idle: Connection[] = [];
  private readonly open = new Set<Connection>();
  private readonly waiting: ((connection: Connection) => void)[] = [];
  private readonly head: string;

  /** @param headers lines, without those for the host and the length */
  constructor(
    private readonly url: URL,
    path: string,
    headers: readonly string[],
    private readonly connections: number,
  ) {
    this.head = [`POST ${path} HTTP/1.1`, `host: ${url.host}`, ...headers, 'content-length: '].join('\r\n');
  }

  /** Never rejects. */
  async post(body: string): Promise<LeanAnswer> {
    const connection = this.usable() ?? (await this.another());
    const answer = await connection.send(`${this.head}${body.length}\r\n\r\n${body}`);
    if (connection.broken) this.open.delete(connection);
    const next = this.waiting.shift();
    if (next) next(connection.broken ? this.connect() : connection);
    else if (!connection.broken) this.idle.push(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.open) connection.close();
  }

  /** One that waits for a request, and that the server has not closed meanwhile. */
  private usable(): Connection | undefined {
    let connection = this.idle.pop();
    while (connection?.broken) {
      this.open.delete(connection);
      connection = this.idle.pop();
    }
    return connection;
  }

  private another(): Connection | Promise<Connection> {
    if (this.open.size < this.connections) return this.connect();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private connect(): Connection {
    const connection = new Connection(this.url);
    this.open.add(connection);
    return connection;
  }
}

class Connection {
  broken = false;
  private readonly socket: Socket;
  private received = '';
  private settle: ((answer: LeanAnswer) => void) | undefined;

  constructor({ hostname, port }: URL) {
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => this.take(text));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.broken = true;
      this.answer({ status: 0, body: '' });
    });
  }

  send(request: string): Promise<LeanAnswer> {
    return new Promise((resolve) => {
      this.settle = resolve;
      if (this.broken) this.answer({ status: 0, body: '' });
      else this.socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    const all = (this.received += text);
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /^content-length: *(\d+)/im.exec(all);
    const whole = end + 4 + Number(length?.[1] ?? 0);
    if (all.length < whole) return;
    this.received = '';
    this.answer({ status: Number(all.slice(9, 12)), body: all.slice(end + 4, whole) });
  }

  private answer(answer: LeanAnswer): void {
    const { settle } = this;
    this.settle = undefined;
    settle?.(answer);
  }
}
