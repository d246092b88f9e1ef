import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaConfig } from '@hookline/config';
import { Kafka, logLevel, type ISocketFactory, type LogEntry, type SASLOptions } from 'kafkajs';
import { letConnectionsIdle } from '@hookline/platform';

/** What the client has to say; pino's logger fits. */
export interface KafkaLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface KafkaOptions {
  /** The process that connects: the brokers see `<clientId>-<role>`. */
  role: string;
  logger: KafkaLogger;
  /** Makes the sockets; tests route them through a proxy. */
  socketFactory?: ISocketFactory;
}

/** An answer that takes longer counts as a lost connection; the broker itself is given {@link REPLICATION_TIMEOUT_MS}. */
const REQUEST_TIMEOUT_MS = 12_000;
/** How long a leader waits for its followers before it answers that they are late; ms. */
export const REPLICATION_TIMEOUT_MS = 8_000;
const CONNECTION_TIMEOUT_MS = 3_000;

/**
 * The one place where a client of Kafka is made.
 * @throws Error when a TLS file can't be read or a SASL user is missing
 */
export function createKafka(config: KafkaConfig, options: KafkaOptions): Kafka {
  letConnectionsIdle();
  const tls = tlsOptions(config);
  const sasl = saslOptions(config);
  return new Kafka({
    brokers: inTurn(config.brokers),
    clientId: `${config.clientId}-${options.role}`,
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl } : {}),
    ...(options.socketFactory ? { socketFactory: options.socketFactory } : {}),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Written out in full: kafkajs has other defaults when NODE_ENV is `test`.
    retry: { initialRetryTime: 100, factor: 0.2, multiplier: 2, maxRetryTime: 2_000, retries: 6 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => log(options.logger, entry),
  });
}

/**
 * Each connection that may begin anywhere begins one broker further on. kafkajs by itself always takes the first of
 * its list, and stays with it for as long as it accepts connections, even if it never answers.
 */
function inTurn(brokers: readonly string[]): () => string[] {
  let turn = 0;
  return () => {
    const at = turn++ % brokers.length;
    return brokers.slice(at, at + 1);
  };
}

function tlsOptions(config: KafkaConfig): ConnectionOptions | undefined {
  if (!config.tls) return undefined;
  return {
    ...(config.tlsCaFile ? { ca: readFileSync(config.tlsCaFile) } : {}),
    ...(config.tlsCertFile ? { cert: readFileSync(config.tlsCertFile) } : {}),
    ...(config.tlsKeyFile ? { key: readFileSync(config.tlsKeyFile) } : {}),
  };
}

function saslOptions(config: KafkaConfig): SASLOptions | undefined {
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = config;
  if (mechanism === 'none') return undefined;
  if (username === undefined || password === undefined) {
    throw new Error(`KAFKA_SASL_MECHANISM is ${mechanism}: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed`);
  }
  // The union of kafkajs wants the literal that belongs to each mechanism.
  return { mechanism, username, password } as SASLOptions;
}

/** True of itself, and not for those who read our logs: partitions and retries are the pump's business. */
const KNOWN = [/default partitioner/, /Limiting retries for the idempotent producer/];

function log(logger: KafkaLogger, { namespace, log: { message, ...rest } }: LogEntry): void {
  if (KNOWN.some((known) => known.test(message))) return;
  const { timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = rest as Record<string, unknown>;
  const text = namespace ? `${namespace}: ${message}` : message;
  // kafkajs calls every lost connection an error, also those that it mends itself: what matters is said by the caller.
  logger.warn(details, text);
}
