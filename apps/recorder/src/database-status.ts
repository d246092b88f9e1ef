import type { Logger } from '@hookline/platform';

/** Whether PostgreSQL does what it is asked; a change is logged, and the rest is only counted by others. */
export class DatabaseStatus {
  private trouble: string | undefined = 'not asked yet';

  constructor(private readonly logger: Logger) {}

  works(): void {
    if (this.trouble !== undefined) this.logger.info({}, 'PostgreSQL answers');
    this.trouble = undefined;
  }

  fails(error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error);
    if (trouble !== this.trouble)
      this.logger.warn({ err: error }, 'PostgreSQL fails; it is tried again until it works');
    this.trouble = trouble;
  }

  /** For readiness: undefined when all is well. */
  readonly check = (): string | undefined => this.trouble && `PostgreSQL: ${this.trouble}`;
}
