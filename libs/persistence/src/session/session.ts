import pg from 'pg';
import type { PgConnectionOptions } from '../connection-options.js';

/** A query that takes longer counts as a lost session: a hung server must not keep us believing that we hold a lock. */
const QUERY_TIMEOUT_MS = 30_000;

/**
 * One connection to PostgreSQL of one's own, for what lives as long as it does: advisory locks and LISTEN.
 * When it is lost, so are its locks: whoever works under one looks at {@link lost} before it acts.
 */
export class Session {
  private readonly ended = new AbortController();

  private constructor(private readonly client: pg.Client) {
    const end = (error?: Error): void => this.ended.abort(error ?? new Error('the session has ended'));
    client.on('error', end);
    client.on('end', () => end());
  }

  /**
   * @param queryTimeoutMs how long the answer to a query may take
   * @throws what pg throws when the database is not there
   */
  static async open(
    { max: _, ...options }: PgConnectionOptions,
    queryTimeoutMs: number = QUERY_TIMEOUT_MS,
  ): Promise<Session> {
    const session = new Session(new pg.Client({ ...options, query_timeout: queryTimeoutMs }));
    try {
      await session.client.connect();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  get lost(): AbortSignal {
    return this.ended.signal;
  }

  async query<R extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    try {
      return (await this.client.query<R>(sql, parameters)).rows;
    } catch (error) {
      if ((error as Error).message === 'Query read timeout') this.ended.abort(error);
      throw error;
    }
  }

  /** @returns false if another session holds it */
  async tryLock(kind: number, key: string): Promise<boolean> {
    const [row] = await this.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, hashtext($2)) AS held', [
      kind,
      key,
    ]);
    return row?.held === true;
  }

  async unlock(kind: number, key: string): Promise<void> {
    await this.query('SELECT pg_advisory_unlock($1, hashtext($2))', [kind, key]);
  }

  /** Calls back whenever someone notifies the channel. */
  async listen(channel: string, callback: () => void): Promise<void> {
    this.client.on('notification', (message) => {
      if (message.channel === channel) callback();
    });
    await this.query(`LISTEN ${channel}`);
  }

  /** Its locks go with it. It does not wait for a server that no longer answers. */
  async close(): Promise<void> {
    this.ended.abort(new Error('the session was closed'));
    const ended = this.client.end().catch(() => undefined);
    const giveUp = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([ended, giveUp]);
  }
}
