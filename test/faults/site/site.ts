import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedKafka, EmbeddedPostgres, ProcessRegister } from '@hookline/embedded';
import { DatabaseProxy, HooklineApi, KafkaProxy } from '@hookline/testing';
import { Brokers } from './brokers.js';
import { hookline } from './command.js';
import { Fleet, ROLES } from './fleet.js';
import { History } from './history.js';
import { Outbox } from './outbox.js';
import type { Span } from '../repeats.js';
import { SESSION_MS, settingsOf, settingsOfAll, type Surroundings } from './settings.js';
import { SmallDisk } from './small-disk.js';
import { unrestOf } from './unrest.js';

/**
 * What a site has besides: a producer's outbox with relays, proxies between roles and brokers, one between roles and PostgreSQL, a small disk for the last
 * broker.
 */
export type Need = 'outbox' | 'detours' | 'database-proxy' | 'small-disk';

/** A relay is told at its start whose events it may bring: so many runs a site with an outbox is good for. */
const RELAYED_TENANTS = 20;

interface SiteParts {
  dataDir: string;
  brokers: Brokers;
  postgres: EmbeddedPostgres;
  databaseUrl: string;
  history: History;
  fleet: Fleet;
  operatorToken: string;
  sealingKey: string;
  kafkaProxy: KafkaProxy | undefined;
  databaseProxy: DatabaseProxy | undefined;
  smallDisk: SmallDisk | undefined;
  outbox: Outbox | undefined;
  stack: AsyncDisposableStack;
}

/** A Hookline as it would be run, but on one machine: three brokers, PostgreSQL and several of each role. */
export class Site implements AsyncDisposable {
  /** Tenants whose events relays bring, and that no run has had yet. */
  private readonly relayed: string[] = [];

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
      ...{ dataDir, brokers: new Brokers(kafka, dataDir), postgres, databaseUrl, history },
      fleet: new Fleet(join(dataDir, 'logs'), register),
      operatorToken: `hop_${randomBytes(32).toString('base64url')}`,
      sealingKey: `faults:${randomBytes(32).toString('base64')}`,
      ...{ kafkaProxy, databaseProxy, smallDisk, outbox },
      stack: new AsyncDisposableStack(),
    });
    stack.defer(() => site.fleet.killAll());
    say('making the topics and the schema');
    await site.setUp();
    for (const role of ROLES)
      if (role !== 'relay') await site.fleet.describe(role, settingsOf(role, site.surroundings));
    say('starting the roles');
    await site.fleet.startAll();
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

  get fleet(): Fleet {
    return this.parts.fleet;
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
      this.fleet.urlsOf('ingest')[0] as string,
      this.fleet.urlsOf('admin-api')[0] as string,
      this.parts.operatorToken,
    );
  }

  get outbox(): Outbox | undefined {
    return this.parts.outbox;
  }

  /** What its roles are told of. */
  get surroundings(): Surroundings {
    const { brokers, kafkaProxy, databaseProxy, databaseUrl, outbox, operatorToken, sealingKey } = this.parts;
    return {
      brokers: brokers.kafka.brokers,
      detours: kafkaProxy?.detours,
      databaseUrl: databaseProxy?.url ?? databaseUrl,
      ...{ operatorToken, sealingKey },
      outboxUrl: outbox?.url,
      relayed: this.relayed,
    };
  }

  /** One that no run has had. @returns its id */
  async newTenant(name: string): Promise<string> {
    if (this.parts.outbox) return given(this.relayed.pop(), 'tenant left that relays know');
    return (await this.operator.createTenant(name)).id;
  }

  /** When workers may have lost partitions by now, as they say. */
  unrest(): Span[] {
    return unrestOf(this.parts.dataDir, SESSION_MS);
  }

  /** They take the tenants that there are when they start. */
  private async startRelays(): Promise<void> {
    for (let n = 0; n < RELAYED_TENANTS; n++) this.relayed.push((await this.operator.createTenant(`relayed ${n}`)).id);
    await this.fleet.describe('relay', settingsOf('relay', this.surroundings));
    await this.fleet.start('relay');
  }

  private async setUp(): Promise<void> {
    const env = { ...settingsOfAll(this.surroundings), DATABASE_URL: this.parts.databaseUrl };
    const { code, errors } = await hookline(['setup'], env);
    if (code !== 0) throw new Error(`the set-up ended with code ${code}: ${errors}`);
  }
}

function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the site has no ${what}`);
  return value;
}
