import { CLOCK_KEY, TOPICS } from '@hookline/contracts';
import type { LogClock, Output } from '@hookline/kafka';

/** A drift of 100 ppm comes to 60 ms until then. */
const RENEW_MS = 10 * 60_000;

/**
 * Keeps a worker's {@link LogClock} right. The outcomes that it writes do that by themselves; before the first one, and
 * where none was written for long, a record without a value is.
 */
export class LogTime {
  private cancel: () => void = () => undefined;
  private stopped = false;

  constructor(
    private readonly output: Output,
    private readonly clock: Pick<LogClock, 'after' | 'silentMs'>,
  ) {}

  /** Resolves when the log has said what time it is. @throws NotDurable if the output is stopped meanwhile */
  async start(): Promise<void> {
    await this.ask();
    this.renewAfter(RENEW_MS);
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  /** One key for all workers: compaction leaves one record, and in the end none, for it says nothing. */
  private ask(): Promise<unknown> {
    return this.output.produce({ topic: TOPICS.progress, key: CLOCK_KEY, value: null });
  }

  private renewAfter(ms: number): void {
    if (!this.stopped) this.cancel = this.clock.after(ms, () => void this.renew());
  }

  private async renew(): Promise<void> {
    const { silentMs } = this.clock;
    if (silentMs >= RENEW_MS) await this.ask().catch(() => undefined);
    this.renewAfter(silentMs >= RENEW_MS ? RENEW_MS : RENEW_MS - silentMs);
  }
}
