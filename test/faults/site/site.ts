import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  EmbeddedKafka,
  EmbeddedPostgres,
  freePorts,
  ProcessRegister,
  projectRoot,
  RoleProcess,
  type RoleProcessOptions,
} from '@hookline/embedded';
import { DatabaseProxy, HooklineApi, KafkaProxy } from '@hookline/testing';
import { Brokers } from './brokers.js';
import { History } from './history.js';
import { Outbox } from './outbox.js';
import type { Span } from '../repeats.js';
import { SmallDisk } from './small-disk.js';
import { unrestOf } from './unrest.js';

export const ROLES = ['ingest', 'admin-api', 'delivery', 'recorder', 'relay'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a site has besides: a producer's outbox with relays, proxies between roles and brokers, one between roles and PostgreSQL, a small disk for the last
 * broker.
 */
export type Need = 'outbox' | 'detours' | 'database-proxy' | 'small-disk';

/** After so long without a heartbeat a worker sends nothing more, and the group goes on without it. */
export const SESSION_MS = 10_000;

/** The delays of the retry topics, ms. */
export const RETRY_DELAYS = [1_000, 2_000, 5_000] as const;

/** So many of a role run; of management one, as its outbox has one publisher at a time anyway. */
const OF_EACH: Record<Role, number> = { ingest: 2, 'admin-api': 1, delivery: 3, recorder: 2, relay: 2 };

/** A relay is told at its start whose events it may bring: so many runs a site with an outbox is good for. */
const RELAYED_TENANTS = 20;

/** On a machine that is busy with brokers that have just come back. */
const READY_MS = 240_000;

interface SiteParts {
  dataDir: string;
  brokers: Brokers;
  postgres: EmbeddedPostgres;
  databaseUrl: string;
  history: History;
  register: ProcessRegister;
  operatorToken: string;
  sealingKey: string;
  kafkaProxy: KafkaProxy | undefined;
  databaseProxy: DatabaseProxy | undefined;
  smallDisk: SmallDisk | undefined;
  outbox: Outbox | undefined;
  stack: AsyncDisposableStack;
}

/**
 * A Hookline as it would be run, but on one machine: three brokers, PostgreSQL and several of each role, each a process of
 * its own that can be killed, frozen and started again. A role that ends without being told to is started again, as a
 * supervisor would, and that is remembered.
 */
export class Site implements AsyncDisposable {
  /** What has ended by itself, and its last words. */
  readonly deaths: string[] = [];
  private readonly roles = new Map<string, RoleProcess>();
  /** Tenants whose events relays bring, and that no run has had yet. */
  private readonly relayed: string[] = [];
  private readonly extra = new Set<RoleProcess>();
  private readonly options = new Map<string, RoleProcessOptions>();

  private constructor(private readonly parts: SiteParts) {}

  /** @param dataDir made anew; it stays where it is when the site is closed */
  static async open(dataDir: string, needs: readonly Need[], say: (line: string) => void): Promise<Site> {
    await using stack = new AsyncDisposableStack();
    rmSync(dataDir, { recursive: true, force: true });
    mkdirSync(dataDir, { recursive: true });
    const smallDisk = needs.includes('small-disk')
      ? stack.use(SmallDisk.mount(join(dataDir, 'kafka', 'broker-3')))
      : undefined;
    const kafka = await EmbeddedKafka.start({ dataDir, brokers: 3, onProgress: say });
    stack.defer(() => kafka.stop('SIGKILL'));
    const postgres = await EmbeddedPostgres.start({ dataDir, durable: false, onProgress: say });
    stack.defer(() => postgres.stop());
    const databaseUrl = await postgres.ensureDatabase('hookline');
    const history = stack.use(new History(databaseUrl));
    const { register } = await ProcessRegister.open(join(dataDir, 'processes.json'));
    const kafkaProxy = needs.includes('detours') ? await KafkaProxy.start(kafka.brokers) : undefined;
    if (kafkaProxy) stack.defer(() => kafkaProxy.stop());
    const databaseProxy = needs.includes('database-proxy') ? await DatabaseProxy.open(databaseUrl) : undefined;
    if (databaseProxy) stack.defer(() => databaseProxy.close());
    const outbox = needs.includes('outbox')
      ? stack.use(await Outbox.install(await postgres.ensureDatabase('producer')))
      : undefined;
    const site = new Site({
      ...{ dataDir, brokers: new Brokers(kafka, dataDir), postgres, databaseUrl, history, register },
      operatorToken: `hop_${randomBytes(32).toString('base64url')}`,
      sealingKey: `faults:${randomBytes(32).toString('base64')}`,
      ...{ kafkaProxy, databaseProxy, smallDisk, outbox },
      stack: new AsyncDisposableStack(),
    });
    stack.defer(() => site.killAll());
    say('making the topics and the schema');
    await site.setUp();
    await site.describe(ROLES.filter((role) => role !== 'relay'));
    say('starting the roles');
    await site.startAll();
    if (outbox) await site.startRelays();
    site.parts.stack.use(stack.move());
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.parts.stack.disposeAsync();
  }

  get dataDir(): string {
    return this.parts.dataDir;
  }

  get brokers(): Brokers {
    return this.parts.brokers;
  }

  get postgres(): EmbeddedPostgres {
    return this.parts.postgres;
  }

  /** Of the database itself, past the proxy. */
  get databaseUrl(): string {
    return this.parts.databaseUrl;
  }

  get history(): History {
    return this.parts.history;
  }

  /** @throws Error where the site was opened without it */
  get kafkaProxy(): KafkaProxy {
    return given(this.parts.kafkaProxy, 'detours');
  }

  /** @throws Error where the site was opened without it */
  get databaseProxy(): DatabaseProxy {
    return given(this.parts.databaseProxy, 'database-proxy');
  }

  /** @throws Error where the site was opened without it */
  get smallDisk(): SmallDisk {
    return given(this.parts.smallDisk, 'small-disk');
  }

  get operator(): HooklineApi {
    return new HooklineApi(
      this.urlsOf('ingest')[0] as string,
      this.urlsOf('admin-api')[0] as string,
      this.parts.operatorToken,
    );
  }

  get outbox(): Outbox | undefined {
    return this.parts.outbox;
  }

  /** One that no run has had. @returns its id */
  async newTenant(name: string): Promise<string> {
    if (this.parts.outbox) return given(this.relayed.pop(), 'tenant left that relays know');
    return (await this.operator.createTenant(name)).id;
  }

  /** Where those of a role listen, also while they are down. */
  urlsOf(role: Role): string[] {
    return [...this.options.values()]
      .filter((options) => options.role === role)
      .map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** When workers may have lost partitions by now, as they say. */
  unrest(): Span[] {
    return unrestOf(this.parts.dataDir, SESSION_MS);
  }

  /** Those of a role that run. */
  running(role: Role): RoleProcess[] {
    return [...this.roles.values(), ...this.extra].filter((process) => process.options.role === role);
  }

  /** SIGKILL to each of them at once. */
  async kill(role: Role): Promise<void> {
    const killed = [...this.roles].filter(([, process]) => process.options.role === role);
    for (const [name] of killed) this.roles.delete(name);
    await Promise.all(killed.map(([, process]) => process.kill()));
  }

  /** SIGTERM to each of them at once; kills those that do not end in time. */
  async stop(role: Role): Promise<void> {
    const stopped = [...this.roles].filter(([, process]) => process.options.role === role);
    for (const [name] of stopped) this.roles.delete(name);
    await Promise.all(stopped.map(([, process]) => process.stop()));
  }

  /** Starts those of a role that do not run, where they were, and waits until they are ready. */
  async start(role: Role): Promise<void> {
    const missing = [...this.options].filter(([name, options]) => options.role === role && !this.roles.has(name));
    const started = await Promise.all(missing.map(([name]) => this.launch(name)));
    await Promise.all(started.map((process) => process.untilReady(READY_MS)));
  }

  async startAll(): Promise<void> {
    await Promise.all(ROLES.map((role) => this.start(role)));
  }

  /** One more of a role than there always are, until {@link leave}. It may not be ready yet. */
  async join(role: Role): Promise<RoleProcess> {
    const [port] = (await freePorts(1)) as [number];
    const like = given(
      [...this.options.values()].find((options) => options.role === role),
      role,
    );
    const logFile = join(this.parts.dataDir, 'logs', `${role}-more.log`);
    const joined = await RoleProcess.start({ ...like, port, logFile }, this.parts.register);
    this.extra.add(joined);
    return joined;
  }

  async leave(process: RoleProcess): Promise<void> {
    this.extra.delete(process);
    await process.stop();
  }

  private async launch(name: string): Promise<RoleProcess> {
    const options = given(this.options.get(name), name);
    const process = await RoleProcess.start(options, this.parts.register);
    this.roles.set(name, process);
    void process.exited.then(({ code, signal }) => {
      if (this.roles.get(name) !== process) return;
      this.deaths.push(`${name} ended by itself (${code ?? signal}): ${process.lastWords()}`);
      this.roles.delete(name);
      return this.launch(name);
    });
    return process;
  }

  private async killAll(): Promise<void> {
    const all = [...this.roles.values(), ...this.extra];
    this.roles.clear();
    this.extra.clear();
    await Promise.all(all.map((process) => process.kill()));
  }

  /** They take the tenants that there are when they start. */
  private async startRelays(): Promise<void> {
    for (let n = 0; n < RELAYED_TENANTS; n++) this.relayed.push((await this.operator.createTenant(`relayed ${n}`)).id);
    await this.describe(['relay']);
    await this.start('relay');
  }

  private async describe(roles: readonly Role[]): Promise<void> {
    const all = roles.flatMap((role) =>
      Array.from({ length: OF_EACH[role] }, (_, n) => ({ role, name: `${role}-${n + 1}` })),
    );
    const ports = await freePorts(all.length);
    for (const [index, { role, name }] of all.entries()) {
      const logFile = join(this.parts.dataDir, 'logs', `${name}.log`);
      this.options.set(name, { role, port: ports[index] as number, env: this.settings(role), logFile });
    }
  }

  private async setUp(): Promise<void> {
    const entry = join(projectRoot(), 'dist', 'apps', 'hookline', 'src', 'main.js');
    const env = { ...this.settings('recorder'), DATABASE_URL: this.parts.databaseUrl };
    const child = spawn(process.execPath, [entry, 'setup'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the set-up ended with code ${code}`);
  }

  private settings(role: Role): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      KAFKA_BROKERS: this.parts.brokers.kafka.brokers.join(),
      HOOKLINE_EVENT_PARTITIONS: '6',
      HOOKLINE_LANE_PARTITIONS: '6',
      HOOKLINE_ATTEMPT_PARTITIONS: '3',
      // Each broker leads its part, so that one that dies was of use.
      HOOKLINE_TOPIC_LEADERS: 'spread',
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_SEALING_KEYS: this.parts.sealingKey,
      HOOKLINE_RETRY_DELAYS: RETRY_DELAYS.map((ms) => `${ms / 1_000}s`).join(),
      // A worker that is killed is noticed by its silence, and an endpoint that has healed by a try: so long a run waits.
      HOOKLINE_SESSION_TIMEOUT: `${SESSION_MS}ms`,
      HOOKLINE_REBALANCE_TIMEOUT: '20s',
      HOOKLINE_ATTEMPT_TIMEOUT: '14s',
      // A catch-up waits until every worker has heard of it.
      HOOKLINE_VIEW_STALE: '5s',
      HOOKLINE_BREAKER_OPEN: '2s',
      HOOKLINE_BREAKER_OPEN_MOST: '5s',
      HOOKLINE_LOG_LEVEL: 'info',
      ...this.detours(),
      ...this.secretsOf(role),
    };
  }

  private detours(): NodeJS.ProcessEnv {
    const { kafkaProxy } = this.parts;
    if (!kafkaProxy) return {};
    const preload = join(projectRoot(), 'dist', 'test', 'faults', 'site', 'detour-preload.js');
    return {
      NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`,
      FAULTS_DETOURS: JSON.stringify(Object.fromEntries(kafkaProxy.detours)),
    };
  }

  /** PostgreSQL is known to those alone that need it. */
  private secretsOf(role: Role): NodeJS.ProcessEnv {
    if (role === 'relay')
      return {
        HOOKLINE_RELAY_DATABASE_URL: this.parts.outbox?.url,
        HOOKLINE_RELAY_TENANTS: this.relayed.join(),
        // Small batches, so that a kill meets some under way.
        HOOKLINE_RELAY_BATCH: '50',
      };
    if (role !== 'admin-api' && role !== 'recorder') return {};
    const { databaseProxy, databaseUrl, operatorToken } = this.parts;
    return { DATABASE_URL: databaseProxy?.url ?? databaseUrl, HOOKLINE_OPERATOR_TOKEN: operatorToken };
  }
}

function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the site has no ${what}`);
  return value;
}
