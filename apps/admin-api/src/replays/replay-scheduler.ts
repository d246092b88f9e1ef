import { NotDurable } from '@hookline/kafka';
import { REPLAY_CHANNEL } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import type { Session } from '../database/session.js';
import { WakeUp } from '../database/wake-up.js';
import type { ReplayRunner } from './replay-runner.js';
import type { ReplayJob } from './replay-job.js';
import { ReplayStore, ReplayTakenAway } from './replay-store.js';

/** After the session was lost or could not be opened, ms. */
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
  private readonly stopping = new AbortController();
  private readonly wake = new WakeUp();
  private readonly jobs = new Map<string, Promise<void>>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly openSession: () => Promise<Session>,
    private readonly runner: ReplayRunner,
    private readonly logger: Logger,
    private readonly settings: ReplaySchedulerSettings,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Replays stop after the batch in hand; another process, or the next start, goes on with them. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const session = await this.openSession();
        try {
          await this.serve(session);
        } finally {
          await Promise.all(this.jobs.values());
          await session.close();
        }
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.logger.warn({ err: error }, 'replays were interrupted; they are resumed');
        await this.wake.wait(RETRY_MS, this.stopping.signal);
      }
    }
  }

  private async serve(session: Session): Promise<void> {
    const signal = AbortSignal.any([session.lost, this.stopping.signal]);
    const store = new ReplayStore(session);
    await session.listen(REPLAY_CHANNEL, this.wake.call);
    while (!signal.aborted) {
      await this.claim(store, signal);
      await this.wake.wait(this.settings.pollMs, signal);
    }
    session.lost.throwIfAborted();
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
      this.wake.call();
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
