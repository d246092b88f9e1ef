import { httpSection, loadConfig, loggingSection } from '@hookline/config';
import {
  silentLogger,
  startRole,
  type RoleConfig,
  type RoleDefinition,
  type RunningRole,
  type Sections,
} from '@hookline/platform';
import { HooklineApi } from '@hookline/testing';
import { adminApiRole } from '../../../admin-api/src/admin-api.role.js';
import { deliveryRole } from '../../../delivery/src/delivery.role.js';
import { ingestRole } from '../../../ingest/src/ingest.role.js';
import { recorderRole } from '../../../recorder/src/recorder.role.js';

const starts = {
  'admin-api': starter(adminApiRole),
  delivery: starter(deliveryRole),
  ingest: starter(ingestRole),
  recorder: starter(recorderRole),
};
type RoleName = keyof typeof starts;

const OPERATOR_TOKEN = 'the-operator-token-of-a-test-0123456789';

/**
 * Every role as it is, in this process, over a Kafka and a database that are there; each can be stopped and started by itself.
 * What is changed in a library that they share is changed for all of them.
 */
export class RolesInProcess {
  private readonly running = new Map<RoleName, RunningRole>();

  /** @param databaseUrls of the roles that go to the database by a way of their own */
  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly databaseUrls: Partial<Record<RoleName, string>> = {},
  ) {}

  async start(...names: RoleName[]): Promise<void> {
    const env = {
      HOOKLINE_HTTP_HOST: '127.0.0.1',
      HOOKLINE_HTTP_PORT: '0',
      HOOKLINE_OPERATOR_TOKEN: OPERATOR_TOKEN,
      HOOKLINE_SEALING_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_LOG_LEVEL: 'silent',
      ...this.env,
    };
    const { databaseUrls } = this;
    const envOf = (name: RoleName): NodeJS.ProcessEnv =>
      databaseUrls[name] === undefined ? env : { ...env, DATABASE_URL: databaseUrls[name] };
    await Promise.all(names.map(async (name) => this.running.set(name, await starts[name](envOf(name)))));
  }

  /** Lets each of them drain, as a TERM does; all that run if none is named. */
  async stop(...names: RoleName[]): Promise<void> {
    const stopping = names.length > 0 ? names : [...this.running.keys()];
    await Promise.all(
      stopping.map(async (name) => {
        await this.running.get(name)?.stop();
        this.running.delete(name);
      }),
    );
  }

  /** As the operator, or with a key; made anew where a role was started again, for it listens elsewhere then. */
  api(token = OPERATOR_TOKEN): HooklineApi {
    const urlOf = (name: RoleName): string => this.running.get(name)?.url ?? 'http://127.0.0.1:9';
    return new HooklineApi(urlOf('ingest'), urlOf('admin-api'), token);
  }
}

function starter<M extends Sections>(definition: RoleDefinition<M>) {
  return async (env: NodeJS.ProcessEnv): Promise<RunningRole> => {
    const config = loadConfig(
      { http: httpSection, logging: loggingSection, ...definition.sections },
      env,
    ) as unknown as RoleConfig<M>;
    const role = await startRole(definition, config, silentLogger);
    await role.started;
    return role;
  };
}
