import { join } from 'node:path';
import {
  brokersSeenBy,
  EmbeddedKafka,
  EmbeddedPostgres,
  freePorts,
  isPortFree,
  portHolder,
  ProcessRegister,
  StartError,
  type Death,
} from '@hookline/embedded';
import { silentLogger } from '@hookline/platform';
import { rebuildDatabase } from '../commands/rebuild-database.js';
import { setup } from '../commands/setup.js';
import { Backoff } from './backoff.js';
import { DataFolder } from './data-folder.js';
import { ensureFirstKey } from './first-key.js';
import { rolesFor, settingsFor, type Role, type Surroundings } from './role-settings.js';
import { allOrFirstFailure, timed } from './progress.js';
import { loadSecrets, type Secrets } from './secrets.js';
import { SupervisedRole } from './supervised-role.js';

export interface InstallationOptions {
  dataDir: string;
  brokers: 1 | 3;
  /** Ingest's port; the other roles take the next four. Absent: free ones. */
  portBase?: number;
  /** Settings of the roles, as environment variables; they go before what an installation chooses by itself. */
  settings?: NodeJS.ProcessEnv;
  onProgress?: (line: string) => void;
  /** Without it a crash of the machine may cost what the database has, and it is quicker; durable by default. */
  durable?: boolean;
  /** The database is gone, and is to be made anew from the topics. */
  rebuildDatabase?: boolean;
}

/** A whole Hookline on this machine: brokers, PostgreSQL and every role, each a process of its own. */
export class Installation {
  readonly roles = new Map<Role, SupervisedRole>();
  /** Resolves, with the reason, when it can't go on. */
  readonly failed: Promise<StartError>;
  /** Absent where Kafka ran already. */
  kafka: EmbeddedKafka | undefined;
  postgres: EmbeddedPostgres | undefined;
  apiKey = '';
  private fail!: (reason: StartError) => void;
  private readonly say: (line: string) => void;
  private starting: Promise<unknown> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  private constructor(
    private readonly options: InstallationOptions,
    private readonly folder: DataFolder,
    private readonly secrets: Secrets,
  ) {
    this.say = options.onProgress ?? (() => undefined);
    this.failed = new Promise((resolve) => (this.fail = resolve));
  }

  /** Takes the data folder. @throws StartError if it can't be had */
  static open(options: InstallationOptions): Installation {
    const folder = DataFolder.claim(options.dataDir);
    try {
      return new Installation(options, folder, loadSecrets(options.dataDir));
    } catch (error) {
      folder.release();
      throw error;
    }
  }

  get operatorToken(): string {
    return this.secrets.operatorToken;
  }

  role(name: Role): SupervisedRole {
    const role = this.roles.get(name);
    if (!role) throw new Error(`${name} has not been started`);
    return role;
  }

  /** Starts everything, and makes a tenant with a key. @throws StartError that says what to do */
  start(): Promise<void> {
    const starting = this.startAll();
    this.starting = starting.catch(() => undefined);
    return starting;
  }

  /** Lets the roles drain, then ends PostgreSQL and the brokers. May be called at any time, and again. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async startAll(): Promise<void> {
    const { dataDir } = this.options;
    const { register, ended } = await ProcessRegister.open(join(dataDir, 'processes.json'));
    if (ended.length > 0) this.say(`ended what an earlier start had left: ${ended.join(', ')}`);
    const own = Object.entries(process.env).filter(([name]) => name.startsWith('HOOKLINE_'));
    const settings = { ...Object.fromEntries(own), ...this.options.settings };
    const roles = rolesFor(settings);
    const ports = await this.takePorts(roles);

    const [kafka, databaseUrl] = await allOrFirstFailure([this.startKafka(), this.startPostgres()]);
    const around: Surroundings = { ...kafka, databaseUrl, secrets: this.secrets, settings };
    this.goOn();
    await timed('Topics and schema', this.say, () => this.prepare(settingsFor('setup', around)));

    const { DATABASE_URL: _, HOOKLINE_RELAY_DATABASE_URL: __, ...environment } = process.env;
    roles.forEach((role, index) => {
      const options = {
        role,
        port: ports[index] as number,
        env: { ...environment, ...settingsFor(role, around) },
        logFile: join(dataDir, 'logs', `${role}.log`),
      };
      // What a relay waits for is not ours: a producer's database that is away must not keep Hookline from starting.
      const probe = role === 'relay' ? 'healthz' : 'readyz';
      this.roles.set(role, new SupervisedRole(options, register, this.say, probe));
    });
    this.goOn();
    await timed('Roles', this.say, () => allOrFirstFailure([...this.roles.values()].map((role) => role.start())));
    this.goOn();
    this.apiKey = await ensureFirstKey(dataDir, this.secrets, {
      adminUrl: this.role('admin-api').url,
      ingestUrl: this.role('ingest').url,
    });
  }

  private prepare(env: NodeJS.ProcessEnv): Promise<number> {
    if (!this.options.rebuildDatabase) return setup(env, silentLogger);
    return rebuildDatabase(true, env, (text) => this.say(text.trimEnd()), silentLogger);
  }

  /** A start on this data has once been through: what is gone now must not be made anew in silence. */
  private get isMade(): boolean {
    return this.secrets.apiKey !== undefined;
  }

  private async stopAll(): Promise<void> {
    await this.starting;
    await Promise.all([...this.roles.values()].map((role) => role.stop()));
    await this.postgres?.stop();
    await this.kafka?.stop();
    this.folder.release();
  }

  /** @throws StartError if a stop was asked for meanwhile */
  private goOn(): void {
    if (this.stopping) throw new StartError('Stopped while it was starting.');
  }

  private async takePorts(roles: readonly Role[]): Promise<number[]> {
    const { portBase } = this.options;
    if (portBase === undefined) return freePorts(roles.length);
    const ports = roles.map((_, index) => portBase + index);
    for (const [index, port] of ports.entries()) {
      if (await isPortFree(port)) continue;
      const holder = portHolder(port);
      throw new StartError(
        `Port ${port}, for ${roles[index]}, is in use${holder ? ` by ${holder}` : ''}: end that, or start with other ports (--port-base ${portBase + 100}).`,
      );
    }
    return ports;
  }

  private async startKafka(): Promise<{ brokers: string[]; copies: number }> {
    const { dataDir, brokers } = this.options;
    if (process.env['KAFKA_BROKERS']) return findRunningKafka(process.env['KAFKA_BROKERS']);
    const started = await timed('Kafka', this.say, (onProgress) =>
      EmbeddedKafka.start({ dataDir, brokers, isMade: this.isMade, onProgress }),
    );
    this.kafka = started;
    const backoff = new Backoff();
    started.onUnexpectedDeath((id, death) =>
      this.revive(`Kafka broker ${id}`, death, backoff, () => started.restart(id)),
    );
    return { brokers: started.brokers, copies: brokers };
  }

  private async startPostgres(): Promise<string> {
    const { dataDir, durable = true, rebuildDatabase: isToBeMade = false } = this.options;
    const isMade = this.isMade && !isToBeMade;
    const started = await timed('PostgreSQL', this.say, (onProgress) =>
      EmbeddedPostgres.start({ dataDir, durable, isMade, onProgress }),
    );
    this.postgres = started;
    const backoff = new Backoff();
    started.onUnexpectedDeath((death) => this.revive('PostgreSQL', death, backoff, () => started.restart()));
    return started.ensureDatabase('hookline');
  }

  /** The roles live through the gap: that is what they are made for. */
  private async revive(name: string, death: Death, backoff: Backoff, restart: () => Promise<void>): Promise<void> {
    if (this.stopping) return;
    if (death.diskFull) return this.fail(new StartError(`${name} ended: ${death.why}.`));
    const delayMs = backoff.next();
    this.say(`${name} ended (${death.why}); it is started again in ${delayMs / 1_000} s`);
    if (!(await backoff.wait(delayMs)) || this.stopping) return;
    await restart().then(
      () => this.say(`${name} is ready again`),
      (error: unknown) => this.fail(new StartError(`${name} can't be started again: ${String(error)}`)),
    );
  }
}

async function findRunningKafka(addresses: string): Promise<{ brokers: string[]; copies: number }> {
  const brokers = addresses.split(',');
  try {
    return { brokers, copies: await Promise.any(brokers.map(brokersSeenBy)) };
  } catch {
    throw new StartError(`No Kafka answers at ${addresses} (KAFKA_BROKERS): start it, or unset the variable.`);
  }
}
