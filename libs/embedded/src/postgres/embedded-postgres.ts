import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { explainDeath, type Death } from '../death.js';
import { freePorts } from '../ports.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { ProcessRegister } from '../process/process-register.js';
import { StartError } from '../start-error.js';
import { saysDiskFull, tailOf } from '../tail.js';
import { dropPostgresData, findPostgresPlace, makePrivateFolder, type PostgresPlace } from './postgres-place.js';
import { ADVICE, assertWholeData } from './whole-data.js';

export interface EmbeddedPostgresOptions {
  /** PostgreSQL gets the folder `postgres` in it. */
  dataDir: string;
  /** A free one if absent, or if it is taken. */
  port?: number;
  /** Without it a crash of the machine may cost data, and tests are quicker. */
  durable?: boolean;
  /** It has been used before: where its data is gone, it is not made anew. */
  isMade?: boolean;
  onProgress?: (line: string) => void;
}

const READY_MS = 60_000;
const STOP_MS = 20_000;
const USER = 'hookline';

/** PostgreSQL on loopback, with a password that is kept beside its data. */
export class EmbeddedPostgres {
  private server: GuardedProcess | undefined;
  private stopping = false;
  private onDeath: (death: Death) => void = () => undefined;

  private constructor(
    private readonly dir: string,
    private readonly place: PostgresPlace,
    private readonly register: ProcessRegister,
    private readonly port: number,
    private readonly password: string,
    private readonly durable: boolean,
  ) {}

  /** @throws StartError that says what to do */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { onProgress = () => undefined } = options;
    const dir = join(options.dataDir, 'postgres');
    const place = findPostgresPlace(dir);
    const { register } = await ProcessRegister.open(join(dir, 'processes.json'));
    assertWholeData(place.data, passwordFileOf(dir), options.isMade);
    const password = keptPassword(dir);
    if (!existsSync(join(place.data, 'PG_VERSION'))) {
      onProgress('making its data folder');
      await initialise(place, password);
    }
    const [port] = await freePorts(1, options.port === undefined ? [] : [options.port]);
    const postgres = new EmbeddedPostgres(dir, place, register, port as number, password, options.durable ?? true);
    onProgress('starting');
    await postgres.launch();
    return postgres;
  }

  /** Of the server: the database is `postgres`, the user may make others. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgres://${USER}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes the database unless it is there. @returns its URL */
  async ensureDatabase(name: string): Promise<string> {
    await withClient(this.url, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    });
    return this.urlOf(name);
  }

  /** Says when it has ended and nobody here has ended it, and why as far as it is known. */
  onUnexpectedDeath(listener: (death: Death) => void): void {
    this.onDeath = listener;
  }

  /** As a crash. */
  async kill(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    // Its own children leave by themselves when they see it gone; the port is free only then.
    await server?.stop('SIGQUIT', STOP_MS);
  }

  async restart(): Promise<void> {
    if (!this.server) await this.launch();
  }

  /** Ends it in order: connections are cut, what is committed is written out. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.server?.stop('SIGINT', STOP_MS);
    this.server = undefined;
  }

  /** Stops it and deletes its data. */
  async destroy(): Promise<void> {
    this.stopping = true;
    await this.server?.stop('SIGQUIT', STOP_MS);
    dropPostgresData(this.dir);
  }

  private async launch(): Promise<void> {
    const logFile = join(this.dir, 'postgres.log');
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      ...(this.durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
      max_connections: '200',
    };
    const server = await GuardedProcess.start(
      {
        name: 'postgres',
        command: join(this.place.programs, 'bin', 'postgres'),
        args: ['-D', this.place.data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
        cwd: '/',
        logFile,
        orphanSignal: 'SIGQUIT',
        ...(this.place.user ? { user: this.place.user } : {}),
      },
      this.register,
    );
    this.server = server;
    await this.untilReady(server, logFile);
    void server.exited.then(() => {
      if (this.stopping || this.server !== server) return;
      this.server = undefined;
      this.onDeath(lastWords(logFile));
    });
  }

  private async untilReady(server: GuardedProcess, logFile: string): Promise<void> {
    const end = Date.now() + READY_MS;
    for (;;) {
      if (!server.running) throw endedWhileStarting(lastWords(logFile), logFile);
      try {
        return await withClient(this.url, async () => undefined);
      } catch (error) {
        if (Date.now() > end) throw new StartError(`PostgreSQL did not answer in ${READY_MS} ms: ${String(error)}`);
      }
      await pause(50);
    }
  }
}

async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that goes away would otherwise end this process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

const passwordFileOf = (dir: string): string => join(dir, 'password');

function keptPassword(dir: string): string {
  const file = passwordFileOf(dir);
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** initdb takes the password from a file that its user can read: on the way only, and only by that user. */
async function initialise(place: PostgresPlace, password: string): Promise<void> {
  // Beside its place until it is finished: a start that is killed meanwhile leaves no half of one there.
  const unfinished = `${place.data}.new`;
  for (const folder of [place.data, unfinished]) rmSync(folder, { recursive: true, force: true });
  makePrivateFolder(unfinished, place.user);
  const folder = mkdtempSync(join(tmpdir(), 'hookline-initdb-'));
  makePrivateFolder(folder, place.user);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  try {
    const args = ['-D', unfinished, '-U', USER, '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8'];
    await runInitdb(place, [...args, '--locale=C', '--no-sync', '--no-instructions']);
    renameSync(unfinished, place.data);
  } finally {
    for (const each of [folder, unfinished]) rmSync(each, { recursive: true, force: true });
  }
}

async function runInitdb(place: PostgresPlace, args: readonly string[]): Promise<void> {
  const child = spawn(join(place.programs, 'bin', 'initdb'), args, {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    ...place.user,
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code === 0) return;
  const why = saysDiskFull(output) ? 'the disk is full; make room, or use another folder (--data)' : output.trim();
  throw new StartError(`PostgreSQL's data folder ${place.data} could not be made: ${why}`);
}

function endedWhileStarting({ why, diskFull }: Death, logFile: string): StartError {
  const ended = `PostgreSQL ended while it started: ${why}`;
  return new StartError(diskFull ? ended : `${ended} (${logFile}). ${ADVICE}`);
}

const lastWords = (logFile: string): Death => explainDeath(tailOf(logFile), /FATAL|PANIC|ERROR/);
