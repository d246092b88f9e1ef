import { unlessAborted, WakeUp, type Session } from '@hookline/persistence';
import type { Clock, Metrics } from '@hookline/platform';
import { LOOK_MS } from './outbox-session.js';

/** Rows are counted so far: counting a million of them every few seconds would be work for nothing. */
const MOST_ROWS = 100_000;

const BACKLOG = `
  SELECT
    (SELECT count(*) FROM (SELECT FROM hookline_outbox LIMIT ${MOST_ROWS}) o)::int AS rows,
    (SELECT count(*) FROM (SELECT FROM hookline_outbox_refused LIMIT ${MOST_ROWS}) r)::int AS refused,
    (SELECT extract(epoch FROM clock_timestamp() - written_at)::float8
     FROM hookline_outbox ORDER BY seq LIMIT 1) AS age`;

interface Backlog {
  rows: number;
  refused: number;
  /** Seconds since the first row was written; null where there is none. */
  age: number | null;
}

/**
 * Looks how much waits, over a session of its own: the one that relays may have to wait for Kafka. While PostgreSQL
 * does not answer, what waited then grows older.
 */
export class OutboxWatch {
  private readonly stopping = new AbortController();
  private readonly wake = new WakeUp();
  private running: Promise<void> | undefined;
  private backlog: Backlog = { rows: 0, refused: 0, age: null };
  private lookedAt = 0;
  /** What the last look met; undefined: nothing. */
  private trouble: string | undefined = 'not asked yet';

  constructor(
    private readonly openSession: () => Promise<Session>,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    metrics.gauge('hookline_relay_lag_seconds', 'Age of the first row of the outbox; 0 where it is empty.', {
      read: () => this.lag(),
    });
    metrics.gauge('hookline_relay_rows', 'Rows that wait in the outbox, up to 100000.', {
      read: () => this.backlog.rows,
    });
    metrics.gauge('hookline_relay_refused_rows', 'Rows that are set aside in hookline_outbox_refused, up to 100000.', {
      read: () => this.backlog.refused,
    });
    metrics.gauge('hookline_relay_database_up', "Whether the producer's PostgreSQL answers: 1 or 0.", {
      read: () => (this.trouble === undefined ? 1 : 0),
    });
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
  }

  /** For readiness: undefined when all is well. */
  readonly check = (): string | undefined => this.trouble && `PostgreSQL of the outbox: ${this.trouble}`;

  private lag(): number {
    const { age } = this.backlog;
    return age === null ? 0 : age + (this.clock.now() - this.lookedAt) / 1_000;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const session = await unlessAborted(this.open(), signal);
        try {
          for (;;) {
            await unlessAborted(this.look(session), signal);
            await this.wake.wait(LOOK_MS, signal);
            signal.throwIfAborted();
          }
        } finally {
          await session.close();
        }
      } catch (error) {
        this.trouble = (error instanceof Error ? error.message : String(error)) || 'no connection';
        await this.wake.wait(LOOK_MS, signal);
      }
    }
  }

  /** A session that comes when nobody waits for it any more is closed. */
  private async open(): Promise<Session> {
    const session = await this.openSession();
    if (this.stopping.signal.aborted) await session.close();
    return session;
  }

  private async look(session: Session): Promise<void> {
    const [backlog] = await session.query<Backlog & Record<string, unknown>>(BACKLOG);
    if (backlog) this.backlog = backlog;
    this.lookedAt = this.clock.now();
    this.trouble = undefined;
  }
}
