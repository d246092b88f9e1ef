import type { Logger } from '@hookline/platform';

/** Whether PostgreSQL does what it is asked; a change is logged, and the rest is only counted by others. */
export class DatabaseStatus {
  /** What the last piece of real work met; undefined: it was done. */
  private trouble: string | undefined = 'not asked yet';
  /** What the last question met. */
  private silence: string | undefined;

  constructor(private readonly logger: Logger) {}

  /** Real work was done. */
  works(): void {
    if (this.trouble !== undefined) this.logger.info({}, 'PostgreSQL does its work');
    this.trouble = undefined;
    this.silence = undefined;
  }

  /** Real work failed. */
  fails(error: unknown): void {
    const trouble = messageOf(error);
    if (trouble !== this.trouble)
      this.logger.warn({ err: error }, 'PostgreSQL fails; it is tried again until it works');
    this.trouble = trouble;
  }

  /** It was only asked whether it is there: says nothing of whether it can do the work. */
  asked(error?: unknown): void {
    this.silence = error === undefined ? undefined : messageOf(error);
  }

  /** For readiness: undefined when all is well. */
  readonly check = (): string | undefined => {
    const wrong = this.trouble ?? this.silence;
    return wrong && `PostgreSQL: ${wrong}`;
  };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'no connection';
}
