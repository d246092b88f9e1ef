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

const ROLES = ['ingest', 'admin-api', 'delivery', 'recorder'] as const;
type Role = (typeof ROLES)[number];

/** A whole Hookline as it would be run, but on one machine: brokers, PostgreSQL and every role in its own process. */
export class Stage {
  private readonly roles = new Map<Role, RoleProcess>();

  private constructor(
    private readonly dataDir: string,
    private readonly kafka: EmbeddedKafka,
    private readonly postgres: EmbeddedPostgres,
    readonly databaseUrl: string,
    private readonly operatorToken: string,
  ) {}

  /** Also when it fails, nothing is left running. */
  static async open(brokers: 1 | 3, onProgress: (line: string) => void): Promise<Stage> {
    const dataDir = mkdtempSync(join(tmpdir(), 'hookline-bench-'));
    const kafka = await EmbeddedKafka.start({ dataDir, brokers, onProgress });
    const postgres = await EmbeddedPostgres.start({ dataDir, onProgress });
    const databaseUrl = await postgres.ensureDatabase('hookline');
    const stage = new Stage(dataDir, kafka, postgres, databaseUrl, `hop_${randomBytes(32).toString('base64url')}`);
    try {
      await stage.startRoles(brokers, onProgress);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  url(role: Role): string {
    return (this.roles.get(role) as RoleProcess).url;
  }

  /** A tenant with a key, `count` subscriptions at the receiver, of which one matches what is published. */
  async prepare(receiverUrl: string, count: number): Promise<{ tenantId: string; apiKey: string }> {
    const operator = new HooklineApi(this.url('ingest'), this.url('admin-api'), this.operatorToken);
    const { id: tenantId } = await operator.createTenant('bench');
    const { key: apiKey } = await operator.createKey(tenantId, 'bench');
    const api = operator.as(apiKey);
    await api.subscribe({ url: receiverUrl, types: ['bench.event'] });
    for (let i = 1; i < count; i += 1) await api.subscribe({ url: receiverUrl, types: [`other${i}.*`] });
    return { tenantId, apiKey };
  }

  /** CPU time that a role has used, seconds. */
  async cpuSeconds(): Promise<Record<Role, number>> {
    const used = await Promise.all(
      ROLES.map(async (role): Promise<[Role, number]> => {
        const text = await (await fetch(`${this.url(role)}/metrics`)).text();
        return [role, Number(/^process_cpu_seconds_total\{[^}]*\} (\S+)/m.exec(text)?.[1])];
      }),
    );
    return Object.fromEntries(used) as Record<Role, number>;
  }

  async close(): Promise<void> {
    await Promise.all([...this.roles.values()].map((role) => role.stop()));
    await this.postgres.destroy();
    await this.kafka.stop('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async startRoles(brokers: 1 | 3, onProgress: (line: string) => void): Promise<void> {
    const env = this.settings(brokers);
    onProgress('making the topics and the schema');
    await runSetup({ ...env, DATABASE_URL: this.databaseUrl });
    const { register } = await ProcessRegister.open(join(this.dataDir, 'processes.json'));
    const ports = await freePorts(ROLES.length);
    onProgress('starting the roles');
    for (const [index, role] of ROLES.entries()) {
      const options = {
        role,
        port: ports[index] as number,
        env: { ...env, ...this.secretsOf(role) },
        logFile: join(this.dataDir, `${role}.log`),
      };
      this.roles.set(role, await RoleProcess.start(options, register));
    }
    await Promise.all([...this.roles.values()].map((role) => role.untilReady()));
  }

  private settings(brokers: 1 | 3): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      KAFKA_BROKERS: this.kafka.brokers.join(),
      HOOKLINE_REPLICATION_FACTOR: String(brokers),
      HOOKLINE_MIN_INSYNC_REPLICAS: brokers === 3 ? '2' : '1',
      HOOKLINE_EVENT_PARTITIONS: '6',
      HOOKLINE_LANE_PARTITIONS: '3',
      HOOKLINE_ATTEMPT_PARTITIONS: '3',
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKLINE_SEALING_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
      HOOKLINE_LOG_LEVEL: 'warn',
    };
  }

  /** PostgreSQL is known to those alone that need it. */
  private secretsOf(role: Role): NodeJS.ProcessEnv {
    if (role !== 'admin-api' && role !== 'recorder') return {};
    return { DATABASE_URL: this.databaseUrl, HOOKLINE_OPERATOR_TOKEN: this.operatorToken };
  }
}

async function runSetup(env: NodeJS.ProcessEnv): Promise<void> {
  const entry = join(projectRoot(), 'dist', 'apps', 'hookline', 'src', 'main.js');
  const child = spawn(process.execPath, [entry, 'setup'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the set-up ended with code ${code}`);
}
