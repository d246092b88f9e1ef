import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EmbeddedKafka,
  EmbeddedPostgres,
  freePorts,
  ProcessRegister,
  projectRoot,
  RoleProcess,
} from '@hookline/embedded';
import { HooklineApi } from '@hookline/testing';
import type { Say } from '../bench.js';
import { Database } from './database.js';
import { readMetric } from './metrics.js';
import { SEALING_KEY } from './sealing.js';

export type Role = 'ingest' | 'admin-api' | 'delivery' | 'recorder';

/** A tenant with a key. */
export interface Tenant {
  id: string;
  apiKey: string;
  /** The API with its key. */
  api: HooklineApi;
}

interface RoleOptions {
  /** How it is called here; by its role where that is left out. Two of a role need two names. */
  as?: string;
  /** Settings besides those of the stage. */
  env?: NodeJS.ProcessEnv;
}

interface StageParts {
  dataDir: string;
  kafka: EmbeddedKafka;
  database: Database;
  databaseUrl: string;
  register: ProcessRegister;
  operatorToken: string;
  /** Ends all of it, the last one first. */
  stack: AsyncDisposableStack;
}

const CPU = 'process_cpu_seconds_total';

/**
 * A Hookline as it would be run, but on one machine: brokers, PostgreSQL and each role in a process of its own. Roles
 * are started and stopped one by one. When it is disposed of, or fails to open, nothing is left running.
 */
export class Stage implements AsyncDisposable {
  private readonly roles = new Map<string, RoleProcess>();

  private constructor(private readonly parts: StageParts) {}

  /** Brokers, PostgreSQL, the topics and the schema, ingest and admin-api; the other roles are the caller's to start. */
  static async open(brokers: 1 | 3, say: Say): Promise<Stage> {
    const stack = new AsyncDisposableStack();
    try {
      const dataDir = stack.adopt(mkdtempSync(join(tmpdir(), 'hookline-bench-')), remove);
      process.once('exit', () => remove(dataDir));
      const kafka = await EmbeddedKafka.start({ dataDir, brokers, onProgress: say });
      stack.defer(() => kafka.stop('SIGKILL'));
      const postgres = await EmbeddedPostgres.start({ dataDir, onProgress: say });
      stack.defer(() => postgres.destroy());
      const databaseUrl = await postgres.ensureDatabase('hookline');
      const database = stack.use(new Database(databaseUrl));
      const { register } = await ProcessRegister.open(join(dataDir, 'processes.json'));
      const operatorToken = `hop_${randomBytes(32).toString('base64url')}`;
      const stage = new Stage({ dataDir, kafka, database, databaseUrl, register, operatorToken, stack });
      stack.defer(() => stage.stopAll());
      await stage.begin(say);
      return stage;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** @returns how long it took until it was ready, ms */
  async start(role: Role, { as = role, env = {} }: RoleOptions = {}): Promise<number> {
    const [port] = (await freePorts(1)) as [number];
    const options = {
      role,
      port,
      env: { ...this.settings(), ...this.secretsOf(role), ...env },
      logFile: join(this.parts.dataDir, `${as}.log`),
    };
    const begin = Date.now();
    const started = await RoleProcess.start(options, this.parts.register);
    this.roles.set(as, started);
    await started.untilReady();
    return Date.now() - begin;
  }

  /** In order: what is in flight is finished. */
  async stop(name: string): Promise<void> {
    const process = this.role(name);
    this.roles.delete(name);
    await process.stop();
  }

  isRunning(name: string): boolean {
    return this.roles.has(name);
  }

  url(name: string): string {
    return this.role(name).url;
  }

  get brokers(): string[] {
    return this.parts.kafka.brokers;
  }

  get database(): Database {
    return this.parts.database;
  }

  async tenant(name: string): Promise<Tenant> {
    const operator = new HooklineApi(this.url('ingest'), this.url('admin-api'), this.parts.operatorToken);
    const { id } = await operator.createTenant(name);
    const { key: apiKey } = await operator.createKey(id, name);
    return { id, apiKey, api: operator.as(apiKey) };
  }

  /** CPU time of each role that runs, seconds. */
  async cpuSeconds(): Promise<Record<string, number>> {
    const used = await Promise.all([...this.roles.keys()].map(async (name) => [name, await this.metric(name, CPU)]));
    return Object.fromEntries(used) as Record<string, number>;
  }

  /** What a role says of itself now. @throws Error where it says no such thing */
  async metric(name: string, metric: string): Promise<number> {
    return readMetric(await (await fetch(`${this.url(name)}/metrics`)).text(), metric);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.parts.stack.disposeAsync();
  }

  private async begin(say: Say): Promise<void> {
    say('making the topics and the schema');
    await runSetup({ ...this.settings(), DATABASE_URL: this.parts.databaseUrl });
    await this.database.open();
    await Promise.all([this.start('ingest'), this.start('admin-api')]);
  }

  private role(name: string): RoleProcess {
    const process = this.roles.get(name);
    if (process === undefined) throw new Error(`${name} does not run`);
    return process;
  }

  private async stopAll(): Promise<void> {
    await Promise.all([...this.roles.keys()].map((name) => this.stop(name)));
  }

  private settings(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    const copies = this.brokers.length;
    return {
      PATH,
      HOME,
      KAFKA_BROKERS: this.brokers.join(),
      HOOKLINE_REPLICATION_FACTOR: String(copies),
      HOOKLINE_MIN_INSYNC_REPLICAS: copies === 3 ? '2' : '1',
      HOOKLINE_EVENT_PARTITIONS: '3',
      HOOKLINE_LANE_PARTITIONS: '3',
      HOOKLINE_ATTEMPT_PARTITIONS: '3',
      HOOKLINE_TOPIC_LEADERS: 'together',
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_SEALING_KEYS: SEALING_KEY,
      HOOKLINE_LOG_LEVEL: 'warn',
    };
  }

  /** PostgreSQL is known to those alone that need it. */
  private secretsOf(role: Role): NodeJS.ProcessEnv {
    if (role !== 'admin-api' && role !== 'recorder') return {};
    return { DATABASE_URL: this.parts.databaseUrl, HOOKLINE_OPERATOR_TOKEN: this.parts.operatorToken };
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function runSetup(env: NodeJS.ProcessEnv): Promise<void> {
  const entry = join(projectRoot(), 'dist', 'apps', 'hookline', 'src', 'main.js');
  const child = spawn(process.execPath, [entry, 'setup'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the set-up ended with code ${code}`);
}
