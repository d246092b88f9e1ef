import type { Assignment } from './record.js';
import type { RunnerHealth, RunnerStats } from './runner-observer.js';
import { runnerSettings, type RunnerOptions, type RunnerSettings } from './runner-options.js';

/**
 * Reads topics in a consumer group and is the sole owner of their offsets: hands records over, keeps what completes
 * out of order, commits the contiguous low watermark with what is complete above it, and pauses where too much is
 * in flight.
 */
export class OffsetRunner {
  protected readonly settings: RunnerSettings;

  constructor(protected readonly options: RunnerOptions) {
    this.settings = runnerSettings(options);
  }

  /** Resolves when the group was joined for the first time, or the runner was stopped before that. */
  start(): Promise<void> {
    return Promise.reject(new Error('not there yet'));
  }

  /** Takes nothing more, waits for what is in flight, commits and leaves the group; safe to call twice. */
  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Stops taking records until every reason is taken back. */
  pauseIntake(_reason: string): void {}

  resumeIntake(_reason: string): void {}

  /** Whether a heartbeat was accepted within the session timeout. */
  leaseValid(): boolean {
    return false;
  }

  /** Whether work for the assignment may act on the outside now: look before every attempt. */
  isOwner(assignment: Assignment): boolean {
    return !assignment.signal.aborted && this.leaseValid();
  }

  stats(): RunnerStats {
    return { inFlight: 0, partitions: [], heartbeatAgeMs: undefined };
  }

  health(): RunnerHealth {
    return { ok: true, problems: [] };
  }
}
