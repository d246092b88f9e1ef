import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import { AddressRefused, type AddressGuard } from './address-guard.js';

export interface PoolSettings {
  connectTimeoutMs: number;
  /** How long a connection without a request is kept, ms. */
  keepAliveMs: number;
  /** Origins whose connections are kept; beyond, those that were not used for the longest time are closed. */
  maxOrigins: number;
}

/** Bytes of an answer's head at most, as node:http has it. */
const MAX_HEADER_BYTES = 16_384;

/** The connections, by origin. */
export class OriginPools {
  /** Least recently used first. */
  private readonly pools = new Map<string, Pool>();
  private latest: string | undefined;
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
      connect(options, callback);
    };
  }

  get size(): number {
    return this.pools.size;
  }

  of(origin: string): Pool {
    const known = this.pools.get(origin);
    if (known !== undefined) {
      if (this.latest !== origin) this.touch(origin, known);
      return known;
    }
    const pool = new Pool(origin, {
      connect: this.connect,
      pipelining: 1,
      keepAliveTimeout: this.settings.keepAliveMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      // One deadline for the whole attempt is kept by the client; these would count each part anew.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.touch(origin, pool);
    if (this.pools.size > this.settings.maxOrigins) this.closeOldest();
    return pool;
  }

  /** Cuts every connection, also those in use. */
  async destroy(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private touch(origin: string, pool: Pool): void {
    this.pools.delete(origin);
    this.pools.set(origin, pool);
    this.latest = origin;
  }

  /** It takes no new requests and ends when those in flight have. */
  private closeOldest(): void {
    const [oldest] = this.pools;
    if (oldest === undefined) return;
    const [origin, pool] = oldest;
    this.pools.delete(origin);
    void pool.close();
  }
}
