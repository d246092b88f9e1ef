import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthRegistry } from './health.js';
import type { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { NestLogger } from './nest-logger.js';
import { PlatformModule } from './platform.module.js';
import { ProblemFilter } from './problem.js';
import type { RoleConfig, RoleDefinition, RoleParts, Sections } from './role.js';

/** Characters of an id in a path at most: the longest that a setting allows, each of them percent-encoded. */
const MAX_PARAM_LENGTH = 16_384;

/** A client that takes longer to send a request only holds a connection; fastify would wait for ever. */
const REQUEST_TIMEOUT_MS = 60_000;

/** A role that listens. */
export interface RunningRole {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Settles when the role's own start has. */
  readonly started: Promise<void>;
  /** Drains and ends; however often it is called, it does so once. Rejects with what went wrong on the way. */
  stop(): Promise<void>;
}

/**
 * Builds a role, listens, and has it start, in this process. It can be stopped while it is still starting.
 * @throws whatever kept it from starting, e.g. an error with code EADDRINUSE
 */
export async function startRole<M extends Sections>(
  definition: RoleDefinition<M>,
  config: NoInfer<RoleConfig<M>>,
  logger: Logger,
): Promise<RunningRole> {
  const health = new HealthRegistry();
  const metrics = new Metrics(definition.name);
  let stopping: Promise<void> | undefined;
  health.addReadiness('running', () => (stopping ? 'this process is stopping' : undefined));

  const parts = await definition.build({ config, logger, metrics, health });
  const app = await createApp(parts, definition.parsesBodies ?? true, logger, PlatformModule.with(health, metrics));
  const stop = (): Promise<void> => (stopping ??= stopAll(parts, app));
  try {
    await parts.configure?.(app);
    const { host, port } = config.http;
    await app.listen(port, host);
    const url = (await app.getUrl()).replace(/\/\/(0\.0\.0\.0|\[::1?\])(?=:)/, '//127.0.0.1');
    logger.info({ url }, 'listening');
    return { url, started: parts.start?.() ?? Promise.resolve(), stop };
  } catch (error) {
    await stop().catch((reason: unknown) => logger.warn({ err: reason }, 'stopping what had started failed'));
    throw error;
  }
}

async function createApp(
  parts: RoleParts,
  bodyParser: boolean,
  logger: Logger,
  platform: ReturnType<typeof PlatformModule.with>,
): Promise<NestFastifyApplication> {
  class RoleModule {}
  const root = { module: RoleModule, imports: [parts.module, platform] };
  // By default a path with an id of more than 100 characters would not be found.
  const adapter = new FastifyAdapter({
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  return app;
}

/** Each step is taken even if the one before failed; the first failure is what the caller gets. */
async function stopAll(parts: RoleParts, app: NestFastifyApplication): Promise<void> {
  const failures: unknown[] = [];
  for (const step of [() => parts.drain?.(), () => app.close(), () => parts.close?.()])
    await Promise.resolve()
      .then(step)
      .catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
