import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Lets Nest log through ours. What it tells of its modules and routes while it starts is of interest to nobody else. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(context(rest), String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(context(rest), String(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(context(rest), String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(context(rest), String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error({ ...context(rest), ...(message instanceof Error ? { err: message } : {}) }, String(message));
  }
}

/** Nest passes what else it has as further arguments, the name of the part last. */
function context(rest: unknown[]): { part?: unknown; stack?: unknown } {
  const part = rest.at(-1);
  return { ...(part === undefined ? {} : { part }), ...(rest.length > 1 ? { stack: rest[0] } : {}) };
}
