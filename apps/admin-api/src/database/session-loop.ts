import { WakeUp, type Session } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';

/** After something failed, ms. */
const RETRY_MS = 1_000;

export interface SessionLoopParts {
  openSession: () => Promise<Session>;
  /** What is done on a session, until the signal or the session ends it. */
  serve: (session: Session, signal: AbortSignal) => Promise<void>;
  logger: Logger;
  /** What is logged when it was interrupted. */
  interrupted: string;
}

/** Serves on one session with PostgreSQL after the other, until it is stopped. */
export class SessionLoop {
  /** For whoever serves, to wait on. */
  readonly wake = new WakeUp();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: SessionLoopParts) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
  }

  /** Resolves when this session has the advisory lock; it is asked for again whenever something wakes, and every `pollMs`. */
  async locked(session: Session, kind: number, key: string, pollMs: number, signal: AbortSignal): Promise<void> {
    while (!(await session.tryLock(kind, key))) {
      await this.wake.wait(pollMs, signal);
      signal.throwIfAborted();
    }
  }

  private async run(): Promise<void> {
    const { openSession, serve, logger, interrupted } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const session = await openSession();
        try {
          await serve(session, AbortSignal.any([session.lost, signal]));
        } finally {
          await session.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, interrupted);
        await this.wake.wait(RETRY_MS, signal);
      }
    }
  }
}
