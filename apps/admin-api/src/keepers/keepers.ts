import { REPLAY_CHANNEL, type Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import { SessionLoop } from '../database/session-loop.js';

/** "hkep" as a number: the first part of the advisory lock of whoever keeps. */
const LOCK_KIND = 0x686b6570;
const LOCK_KEY = 'keepers';

/** Something that one process at a time does now and then. */
export interface Keeper {
  readonly name: string;
  /**
   * One round, of bounded work; the next one goes on.
   * @throws whatever kept it from it; it is tried again
   */
  round(session: Session, signal: AbortSignal): Promise<void>;
}

export interface KeepersParts {
  openSession: () => Promise<Session>;
  keepers: readonly Keeper[];
  clock: Clock;
  logger: Logger;
  pollMs: number;
}

/** Runs the keepers in turn, in the one process that holds their advisory lock. */
export class Keepers {
  private readonly loop: SessionLoop;

  constructor(private readonly parts: KeepersParts) {
    const { openSession, logger } = parts;
    const interrupted = 'keeping spans and slices was interrupted; it is tried again';
    this.loop = new SessionLoop({ openSession, serve: (...on) => this.serve(...on), logger, interrupted });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async serve(session: Session, signal: AbortSignal): Promise<void> {
    const { pollMs, keepers, logger } = this.parts;
    await this.loop.locked(session, LOCK_KIND, LOCK_KEY, pollMs, signal);
    await session.listen(REPLAY_CHANNEL, this.loop.wake.call);
    for (;;) {
      for (const keeper of keepers) {
        signal.throwIfAborted();
        // One that can't go on must not keep the others from it.
        await keeper.round(session, signal).catch(async (error: unknown) => {
          signal.throwIfAborted();
          logger.warn({ err: error, keeper: keeper.name }, 'a keeper was interrupted; it is tried again');
          await session.query('ROLLBACK');
        });
      }
      await this.loop.wake.wait(pollMs, signal);
    }
  }
}

/** On a session that does nothing else meanwhile. */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('BEGIN');
  const result = await work();
  await session.query('COMMIT');
  return result;
}
