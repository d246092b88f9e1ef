import type { DataSource, EntityManager, ObjectLiteral } from 'typeorm';
import { unavailable } from '../http/problems.js';
import { unavailability } from './unavailability.js';

/**
 * PostgreSQL for requests: it connects when it is first needed and again when it failed, so that the process starts
 * without it; and each call has a deadline of its own, so that a hung server is a quick 503.
 */
export class Database {
  private connecting: Promise<DataSource> | undefined;

  /**
   * @param create makes a data source that is not initialized yet
   * @param timeoutMs the deadline of a call
   */
  constructor(
    private readonly create: () => DataSource,
    private readonly timeoutMs: number,
  ) {}

  /** @throws ProblemError 503 if the database does not answer in time; it may have done it all the same */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.bounded(async () => work((await this.source()).manager));
  }

  /** As {@link run}, in one transaction. */
  async transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.bounded(async () => (await this.source()).transaction(work));
  }

  /** As a data source's, for what reads by plain SQL. */
  query<T = ObjectLiteral[]>(sql: string, parameters?: unknown[]): Promise<T> {
    return this.run((manager) => manager.query<T>(sql, parameters));
  }

  async close(): Promise<void> {
    const source = await this.connecting?.catch(() => undefined);
    this.connecting = undefined;
    if (source?.isInitialized) await source.destroy();
  }

  private source(): Promise<DataSource> {
    this.connecting ??= this.create()
      .initialize()
      .catch((error: unknown) => {
        this.connecting = undefined;
        throw error;
      });
    return this.connecting;
  }

  private async bounded<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(unavailable('database', `No answer within ${this.timeoutMs} ms.`)),
        this.timeoutMs,
      );
    });
    const working = work();
    // Whichever loses the race may still fail.
    working.catch(() => undefined);
    try {
      return await Promise.race([working, late]);
    } catch (error) {
      const reason = unavailability(error);
      throw reason === undefined ? error : unavailable('database', reason);
    } finally {
      clearTimeout(timer);
    }
  }
}
