import type { FailingConfig } from '@hookline/config';
import { forgetSuccesses, type DayPartitions } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Pool } from 'pg';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RETRY_MS = 60_000;

/** How long it is kept, ms. */
export interface Kept {
  historyMs: number;
  /** In which minutes anything succeeded; nobody is disabled for failing without that. */
  successesMs: number;
}

/**
 * A subscription is disabled where something succeeded `disableAfterMs` ago or earlier. A day more is for logs whose time is
 * behind this machine's, and for those to whom something succeeds once a day.
 */
export function keptOf(
  historyMs: number,
  { disableAfterMs, gapMs }: Pick<FailingConfig, 'disableAfterMs' | 'gapMs'>,
): Kept {
  return { historyMs, successesMs: Math.max(historyMs, disableAfterMs + gapMs + DAY_MS) };
}

/** Once an hour: makes today's and tomorrow's tables before they are needed, and drops what is past keeping. */
export class DayKeeper {
  private cancel: (() => void) | undefined;

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly days: DayPartitions,
    private readonly kept: Kept,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.cancel ??= this.clock.after(0, () => void this.round());
  }

  stop(): void {
    this.cancel?.();
    this.cancel = (): void => undefined;
  }

  private async round(): Promise<void> {
    const { cancel } = this;
    const pauseMs = (await this.keep()) ? HOUR_MS : RETRY_MS;
    // It was stopped meanwhile, if another one stands there.
    if (this.cancel === cancel) this.cancel = this.clock.after(pauseMs, () => void this.round());
  }

  private async keep(): Promise<boolean> {
    try {
      const now = this.clock.now();
      await this.days.ensure(this.pool, [now, now + DAY_MS]);
      const dropped = await this.days.dropBefore(this.pool, now - this.kept.historyMs);
      await forgetSuccesses(this.pool, now - this.kept.successesMs);
      if (dropped.length > 0) this.logger.info({ dropped }, 'dropped history that is past its retention');
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'the days of history could not be looked after; it is tried again');
      return false;
    }
  }
}
