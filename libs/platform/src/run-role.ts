import { ConfigError, loadConfig, type HttpConfig } from '@hookline/config';
import { createLogger, type Logger } from './logger.js';
import { Refusal } from './refusal.js';
import { commonSections, type RoleConfig, type RoleDefinition, type Sections } from './role.js';
import { startRole, type RunningRole } from './start-role.js';

/**
 * The whole life of a role's process: settings (with `--validate-config`, only those), start, SIGTERM or SIGINT,
 * drain, exit. Exit code 0 means that it was asked to stop and did.
 */
export async function runRole<M extends Sections>(definition: RoleDefinition<M>): Promise<void> {
  const config = readConfig(definition);
  if (process.argv.includes('--validate-config')) {
    process.stdout.write(`The configuration of ${definition.name} can be used.\n`);
    return;
  }
  const logger = createLogger(config.logging, definition.name);
  dieOnTheUnforeseen(logger);
  const asked = stopSignal();
  const running = await startRole(definition, config, logger).catch((error: unknown) =>
    exit(1, explain(error, config)),
  );
  // A stop is heard while it starts, too: a role may wait for Kafka for as long as it takes.
  await Promise.race([running.started, asked]).catch((error: unknown) => exit(1, explain(error, config)));
  logger.info({ signal: await asked }, 'stopping');
  process.exit(await stopWithin(config.http.drainMs, running, logger));
}

function readConfig<M extends Sections>(definition: RoleDefinition<M>): RoleConfig<M> {
  try {
    const config = loadConfig({ ...commonSections, ...definition.sections }, process.env) as unknown as RoleConfig<M>;
    const faults = definition.check?.(config) ?? [];
    if (faults.length > 0) throw new ConfigError(faults);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) exit(1, error.message);
    throw error;
  }
}

/** npm and the terminal may both pass a signal on: the first one counts, the others change nothing. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

async function stopWithin(drainMs: number, running: RunningRole, logger: Logger): Promise<number> {
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), drainMs));
  try {
    // Being late loses nothing: what was in flight is still in the log, and will be repeated.
    if ((await Promise.race([running.stop(), late])) === 'late')
      logger.warn({ drainMs }, 'stopped before everything in flight was finished; it will be done again');
    else logger.info({}, 'stopped');
    return 0;
  } catch (error) {
    logger.error({ err: error }, 'stopping failed');
    return 1;
  }
}

function dieOnTheUnforeseen(logger: Logger): void {
  const die = (error: unknown): never => {
    logger.error({ err: error }, 'the process ends: an error that nobody handles');
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

function explain(error: unknown, { http }: { http: HttpConfig }): string {
  if (error instanceof Refusal) return error.message;
  const { host, port } = http;
  const code = (error as { code?: unknown }).code;
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is in use already. Set HOOKLINE_HTTP_PORT to another one, or end what listens there.`;
  if (code === 'EACCES')
    return `Listening on ${host}:${port} is not allowed. Set HOOKLINE_HTTP_PORT to one above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function exit(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
