import type { Socket } from 'node:net';
import { Client, type buildConnector } from 'undici';
import type { Exchange } from './exchange.js';

export interface ConnectionSettings {
  /** How long it is kept without a request, ms; an endpoint that asks for less by `Keep-Alive` gets less. */
  keepAliveMs: number;
  /** Bytes that are read of a body. */
  readBytes: number;
}

/** Where connections lead to. */
export interface Origin {
  readonly name: string;
  readonly url: URL;
  /** Without a request; used last, last. */
  readonly idle: Connection[];
  /** All of them. */
  open: number;
}

/** Bytes of an answer's head at most, as node:http has it. */
const MAX_HEADER_BYTES = 16_384;

/** Bytes besides the body's that an answer and a TLS handshake may take: informational answers, heads, chunk sizes. */
const MOST_OVERHEAD_BYTES = 4 * MAX_HEADER_BYTES;

/**
 * A way to an origin for one request at a time. A request of which nothing was sent yet when its idle socket turns out
 * to be closed goes over a new one, and that is undici's doing; once any of it was sent it fails, and is not repeated.
 */
export class Connection {
  private readonly client: Client;
  private socket: Socket | undefined;
  private exchange: Exchange | undefined;
  private readBefore = 0;

  constructor(
    readonly origin: Origin,
    private readonly connect: buildConnector.connector,
    private readonly settings: ConnectionSettings,
    /** Told when its socket was closed; undici opens another one if a request waits for it. */
    onDisconnect: (connection: Connection) => void,
  ) {
    this.client = new Client(origin.url, {
      connect: (options, callback) => this.open(options, callback),
      pipelining: 1,
      keepAliveTimeout: settings.keepAliveMs,
      keepAliveMaxTimeout: settings.keepAliveMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The attempt has deadlines of its own; these would count each part anew.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.client.on('disconnect', () => onDisconnect(this));
  }

  send(exchange: Exchange, body: Buffer): void {
    this.exchange = exchange;
    const { endpoint, headers } = exchange;
    this.client.dispatch({ method: 'POST', path: endpoint.path, headers, body }, exchange);
  }

  /**
   * The request on it has ended.
   * @returns whether it can take another: nothing of the last is left on the way, in either direction
   */
  release(): boolean {
    const { socket, exchange } = this;
    this.exchange = undefined;
    if (socket === undefined || socket.destroyed || exchange?.whole !== true) return false;
    // The answer came before the endpoint read all of the request, and it may never read the rest.
    if (socket.writableLength > 0) return false;
    this.readBefore = socket.bytesRead;
    return true;
  }

  /** Cuts it; a request on it fails. Resolves when that is done. */
  async destroy(): Promise<void> {
    const destroyed = this.client.destroy();
    // Undici leaves a socket alone that is still being opened.
    this.socket?.destroy();
    await destroyed;
  }

  private open(options: buildConnector.Options, callback: buildConnector.Callback): void {
    this.readBefore = 0;
    // It returns the socket although its type does not say so, or nothing where the address is refused.
    this.socket = this.connect(options, callback) as unknown as Socket | undefined;
    this.socket?.on('readable', this.limit);
  }

  /** Undici bounds heads, but neither a status line nor the extensions of a chunk, and tells of neither. */
  private readonly limit = (): void => {
    const read = (this.socket?.bytesRead ?? 0) - this.readBefore;
    if (read > this.settings.readBytes + MOST_OVERHEAD_BYTES) this.exchange?.tooLong();
  };
}
