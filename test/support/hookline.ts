import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoleProcess, freePorts } from '@hookline/embedded';
import { HooklineApi, waitUntil } from '@hookline/testing';
import { Installation, type InstallationOptions } from '../../apps/hookline/src/installation/installation.js';

/** Each broker leads its part, so that one that dies was of use; with partitions for every worker. */
const AS_IN_A_CLUSTER = {
  HOOKLINE_TOPIC_LEADERS: 'spread',
  HOOKLINE_EVENT_PARTITIONS: '6',
  // Where the machine stands still for ten seconds, a test is not to be told to come again.
  HOOKLINE_PUBLISH_DEADLINE: '60s',
  HOOKLINE_ADMIN_TIMEOUT: '60s',
};

/** A whole Hookline for one spec file: three brokers, PostgreSQL, every role a process, in a folder that goes with it. */
export class HooklineUnderTest {
  private readonly extra: RoleProcess[] = [];

  private constructor(
    readonly installation: Installation,
    private readonly dataDir: string,
    readonly operator: HooklineApi,
    /** With the key of a tenant of its own. */
    readonly api: HooklineApi,
  ) {}

  static async start(settings: InstallationOptions['settings'] = {}, brokers: 1 | 3 = 3): Promise<HooklineUnderTest> {
    const dataDir = mkdtempSync(join(tmpdir(), 'hookline-e2e-'));
    const installation = Installation.open({
      dataDir,
      brokers,
      settings: { ...AS_IN_A_CLUSTER, ...settings },
      durable: false,
    });
    try {
      await installation.start();
      const [ingest, admin] = [installation.role('ingest').url, installation.role('admin-api').url];
      const operator = new HooklineApi(ingest, admin, installation.operatorToken);
      return new HooklineUnderTest(installation, dataDir, operator, operator.as(installation.apiKey));
    } catch (error) {
      await installation.stop();
      throw error;
    }
  }

  /** The API of a new tenant, once ingest knows its key. */
  async newTenant(name: string): Promise<HooklineApi> {
    const tenant = await this.operator.createTenant(name);
    const { key } = await this.operator.createKey(tenant.id, 'test');
    const api = this.operator.as(key);
    await waitUntil(
      () =>
        api.ingest('POST', '/v1/events', {}).then(
          () => true,
          (error: { status?: number }) => error.status === 400,
        ),
      { deadlineMs: 60_000, what: 'ingest to know the new key' },
    );
    return api;
  }

  /** Another process of a role, with the settings that the first one has. */
  async another(role: 'ingest' | 'delivery' | 'recorder'): Promise<RoleProcess> {
    const { options } = this.installation.role(role).process ?? {};
    if (!options) throw new Error(`${role} does not run`);
    const [port] = await freePorts(1);
    const logFile = join(this.dataDir, 'logs', `${role}-${port}.log`);
    const started = await RoleProcess.start({ ...options, port: port as number, logFile });
    this.extra.push(started);
    await started.untilReady();
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all(this.extra.map((role) => role.stop()));
    await this.installation.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
