import { REPLAY_CHANNEL } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Session } from '../database/session.js';
import { WakeUp } from '../database/wake-up.js';

/** "hkep" as a number: the first part of the advisory lock of whoever keeps. */
const LOCK_KIND = 0x686b6570;
const LOCK_KEY = 'keepers';

/** After something failed, ms. */
const RETRY_MS = 1_000;

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
  private readonly stopping = new AbortController();
  private readonly wake = new WakeUp();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: KeepersParts) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const session = await this.parts.openSession();
        try {
          await this.serve(session);
        } finally {
          await session.close();
        }
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.parts.logger.warn({ err: error }, 'keeping spans and slices was interrupted; it is tried again');
        await this.wake.wait(RETRY_MS, this.stopping.signal);
      }
    }
  }

  private async serve(session: Session): Promise<void> {
    const signal = AbortSignal.any([session.lost, this.stopping.signal]);
    while (!(await session.tryLock(LOCK_KIND, LOCK_KEY))) {
      await this.wake.wait(this.parts.pollMs, signal);
      signal.throwIfAborted();
    }
    await session.listen(REPLAY_CHANNEL, this.wake.call);
    for (;;) {
      for (const keeper of this.parts.keepers) {
        signal.throwIfAborted();
        // One that can't go on must not keep the others from it.
        await keeper.round(session, signal).catch(async (error: unknown) => {
          signal.throwIfAborted();
          this.parts.logger.warn({ err: error, keeper: keeper.name }, 'a keeper was interrupted; it is tried again');
          await session.query('ROLLBACK');
        });
      }
      await this.wake.wait(this.parts.pollMs, signal);
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
