import { pino, type DestinationStream } from 'pino';
import type { LoggingConfig } from '@hookline/config';

/** What a part of Hookline logs with: the facts as an object, then one sentence. An error goes under `err`. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Names under which a secret may stand in the facts, one level deep as well. */
const SECRET_NAMES = ['authorization', 'password', 'secret', 'secrets', 'token', 'apiKey', 'saslPassword', 'sealed'];

/**
 * JSON lines on standard output, each with the role. Secrets are replaced by `[secret]` where someone logs them all
 * the same.
 * @param destination where the lines go instead of standard output
 */
export function createLogger(config: LoggingConfig, role: string, destination?: DestinationStream): Logger {
  const options = {
    level: config.level,
    base: { role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

const nothing = (): void => undefined;

/** Says nothing; for tests and tools. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
