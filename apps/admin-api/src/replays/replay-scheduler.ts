import { NotDurable } from '@hookline/kafka';
import { REPLAY_CHANNEL, type Session, WakeUp } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import { SessionLoop } from '../database/session-loop.js';
import type { ReplayRunner } from './replay-runner.js';
import type { ReplayJob } from './replay-job.js';
import { ReplayStore, ReplayTakenAway } from './replay-store.js';

/** After a replay was interrupted, ms. */
const RETRY_MS = 1_000;
/** Open replays that are looked at: the others' are among them. */
const LOOK_AT = 100;

export interface ReplaySchedulerSettings {
  concurrency: number;
  pollMs: number;
}

/**
 * Runs the unfinished replays that no other process runs: each is held by an advisory lock of this process' session,
 * so that a process that dies lets go of them at once.
 */
export class ReplayScheduler {
  private readonly loop: SessionLoop;
  private readonly jobs = new Map<string, Promise<void>>();

  constructor(
    openSession: () => Promise<Session>,
    private readonly runner: ReplayRunner,
    private readonly logger: Logger,
    private readonly settings: ReplaySchedulerSettings,
  ) {
    const interrupted = 'replays were interrupted; they are resumed';
    this.loop = new SessionLoop({ openSession, serve: (...on) => this.serve(...on), logger, interrupted });
  }

  start(): void {
    this.loop.start();
  }

  /** Replays stop after the batch in hand; another process, or the next start, goes on with them. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async serve(session: Session, signal: AbortSignal): Promise<void> {
    const store = new ReplayStore(session);
    try {
      await session.listen(REPLAY_CHANNEL, this.loop.wake.call);
      while (!signal.aborted) {
        await this.claim(store, signal);
        await this.loop.wake.wait(this.settings.pollMs, signal);
      }
      session.lost.throwIfAborted();
    } finally {
      await Promise.all(this.jobs.values());
    }
  }

  private async claim(store: ReplayStore, signal: AbortSignal): Promise<void> {
    for (const id of await store.open(LOOK_AT)) {
      if (this.jobs.size >= this.settings.concurrency) return;
      // A session gets its own lock a second time.
      if (this.jobs.has(id)) continue;
      const job = await store.claim(id);
      if (job !== undefined) this.begin(job, store, signal);
    }
  }

  private begin(job: ReplayJob, store: ReplayStore, signal: AbortSignal): void {
    const done = this.runOne(job, store, signal).finally(() => {
      this.jobs.delete(job.id);
      this.loop.wake.call();
    });
    this.jobs.set(job.id, done);
  }

  private async runOne(job: ReplayJob, store: ReplayStore, signal: AbortSignal): Promise<void> {
    const { id } = job;
    try {
      const through = await this.runner.run(job, store, signal);
      if (through) this.logger.info({ replay: id, sent: job.sent }, 'a replay is through');
    } catch (error) {
      if (error instanceof ReplayTakenAway) this.logger.info({ replay: id }, error.message);
      else if (error instanceof NotDurable && error.reason === 'refused') await this.fail(job, store, error);
      else if (!signal.aborted) {
        this.logger.warn({ err: error, replay: id }, 'a replay was interrupted; it is resumed');
        // Held for a moment, or it would be tried again in a tight loop.
        await new WakeUp().wait(RETRY_MS, signal);
      }
    }
    if (!store.lost.aborted) await store.release(id).catch(() => undefined);
  }

  private async fail(job: ReplayJob, store: ReplayStore, error: Error): Promise<void> {
    this.logger.error({ err: error, replay: job.id }, 'a replay has failed');
    await store.finish(job, 'failed', error.message).catch((reason: unknown) => {
      this.logger.warn({ err: reason, replay: job.id }, 'a failed replay could not be marked as such');
    });
  }
}
