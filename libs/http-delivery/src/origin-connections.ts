import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { AddressRefused, type AddressGuard } from './address-guard.js';
import { Connection, type ConnectionSettings, type Origin } from './connection.js';

export interface PoolSettings extends ConnectionSettings {
  /** How long opening a connection may take, name and TLS included, ms; half a second more or less. */
  connectTimeoutMs: number;
  /** Connections kept without a request, over all origins. */
  idleConnections: number;
  /** Origins for which such connections are kept. */
  maxOrigins: number;
}

/**
 * The connections to all origins: as many as there are requests, and of those without a request a bounded number, of
 * which the least recently used are closed first. One with a request is never closed for another's sake.
 */
export class OriginConnections {
  private readonly origins = new Map<string, Origin>();
  private readonly all = new Set<Connection>();
  /** Least recently used first. */
  private readonly idle = new Set<Connection>();
  private idleOrigins = 0;
  private readonly connect: buildConnector.connector;

  constructor(
    private readonly settings: PoolSettings,
    guard: AddressGuard,
  ) {
    const connect = buildConnector({ timeout: settings.connectTimeoutMs, lookup: guard.lookup });
    this.connect = (options, callback) => {
      // A socket asks for no address where the host is one.
      if (isIP(options.hostname) !== 0 && !guard.allows(options.hostname))
        return callback(new AddressRefused(options.hostname), null);
      return connect(options, callback);
    };
  }

  /** Connections without a request. */
  get idleCount(): number {
    return this.idle.size;
  }

  /** A connection for one request: the most recently used one, so that those too many grow old; else a new one. */
  take(name: string): Connection {
    const origin = this.origins.get(name) ?? this.add(name);
    const known = origin.idle.pop();
    if (known !== undefined) {
      this.idle.delete(known);
      if (origin.idle.length === 0) this.idleOrigins--;
      return known;
    }
    const connection = new Connection(origin, this.connect, this.settings, this.dropIdle);
    origin.open++;
    this.all.add(connection);
    return connection;
  }

  /** The request on it has ended, whichever way. */
  giveBack(connection: Connection): void {
    if (!this.all.has(connection)) return;
    if (!connection.release()) return this.drop(connection);
    const { origin } = connection;
    if (origin.idle.push(connection) === 1) this.idleOrigins++;
    this.idle.add(connection);
    for (const oldest of this.idle) {
      if (this.idle.size <= this.settings.idleConnections && this.idleOrigins <= this.settings.maxOrigins) break;
      this.drop(oldest);
    }
  }

  /** Cuts every connection, also those in use. */
  async destroy(): Promise<void> {
    const all = [...this.all];
    this.all.clear();
    this.idle.clear();
    this.origins.clear();
    await Promise.all(all.map((connection) => connection.destroy()));
  }

  private add(name: string): Origin {
    const origin: Origin = { name, url: new URL(name), idle: [], open: 0 };
    this.origins.set(name, origin);
    return origin;
  }

  private readonly dropIdle = (connection: Connection): void => {
    if (this.idle.has(connection)) this.drop(connection);
  };

  private drop(connection: Connection): void {
    const { origin } = connection;
    this.all.delete(connection);
    if (this.idle.delete(connection)) {
      origin.idle.splice(origin.idle.indexOf(connection), 1);
      if (origin.idle.length === 0) this.idleOrigins--;
    }
    if (--origin.open === 0) this.origins.delete(origin.name);
    void connection.destroy();
  }
}
