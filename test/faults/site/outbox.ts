import { installOutbox } from '@hookline/outbox';
import pg from 'pg';

const CONNECTIONS = 8;
const CONNECT_MS = 5_000;

/** The outbox of a producer, in a database of its own. */
export class Outbox implements AsyncDisposable {
  private readonly pool: pg.Pool;

  private constructor(readonly url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: CONNECT_MS });
    // It goes away in some faults, which is no fault of ours.
    this.pool.on('error', () => undefined);
  }

  static async install(url: string): Promise<Outbox> {
    const outbox = new Outbox(url);
    await installOutbox(outbox.pool);
    return outbox;
  }

  query(sql: string, parameters: unknown[]): Promise<unknown> {
    return this.pool.query(sql, parameters);
  }

  /** Events that no relay has brought to Kafka yet. */
  async waiting(): Promise<number> {
    const { rows } = await this.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM hookline_outbox');
    return rows[0]?.n ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.end();
  }
}
