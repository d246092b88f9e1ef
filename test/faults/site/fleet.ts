import { join } from 'node:path';
import { freePorts, RoleProcess, type ProcessRegister, type RoleProcessOptions } from '@hookline/embedded';

export const ROLES = ['ingest', 'admin-api', 'delivery', 'recorder', 'relay'] as const;
export type Role = (typeof ROLES)[number];

/** So many of a role run; of management one, as its outbox has one publisher at a time anyway. */
const OF_EACH: Record<Role, number> = { ingest: 2, 'admin-api': 1, delivery: 3, recorder: 2, relay: 2 };

/** On a machine that is busy with brokers that have just come back. */
const READY_MS = 240_000;

/**
 * The roles of a site, several of each, each a process of its own that can be killed, frozen and started again. One that
 * ends without being told to is started again, as a supervisor would, and that is remembered.
 */
export class Fleet {
  /** What has ended by itself, and its last words. */
  readonly deaths: string[] = [];
  private readonly processes = new Map<string, RoleProcess>();
  private readonly extra = new Set<RoleProcess>();
  private readonly options = new Map<string, RoleProcessOptions>();

  constructor(
    private readonly logFolder: string,
    private readonly register: ProcessRegister,
  ) {}

  /** Settles where those of a role listen and what they are told; they are not started. */
  async describe(role: Role, env: NodeJS.ProcessEnv): Promise<void> {
    const ports = await freePorts(OF_EACH[role]);
    for (const [index, port] of ports.entries()) {
      const name = `${role}-${index + 1}`;
      this.options.set(name, { role, port, env, logFile: this.logOf(name) });
    }
  }

  /** Where those of a role listen, also while they are down. */
  urlsOf(role: Role): string[] {
    return [...this.options.values()]
      .filter((options) => options.role === role)
      .map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** Those of a role that run. */
  running(role: Role): RoleProcess[] {
    return [...this.processes.values(), ...this.extra].filter((process) => process.options.role === role);
  }

  /** SIGKILL to each of them at once. */
  async kill(role: Role): Promise<void> {
    const killed = [...this.processes].filter(([, process]) => process.options.role === role);
    for (const [name] of killed) this.processes.delete(name);
    await Promise.all(killed.map(([, process]) => process.kill()));
  }

  /** SIGTERM to each of them at once; kills those that do not end in time. */
  async stop(role: Role): Promise<void> {
    const stopped = [...this.processes].filter(([, process]) => process.options.role === role);
    for (const [name] of stopped) this.processes.delete(name);
    await Promise.all(stopped.map(([, process]) => process.stop()));
  }

  /** Starts those of a role that do not run, where they were, and waits until they are ready. */
  async start(role: Role): Promise<void> {
    const missing = [...this.options].filter(([name, options]) => options.role === role && !this.processes.has(name));
    const started = await Promise.all(missing.map(([name]) => this.launch(name)));
    await Promise.all(started.map((process) => process.untilReady(READY_MS)));
  }

  async startAll(): Promise<void> {
    await Promise.all(ROLES.map((role) => this.start(role)));
  }

  /** One more of a role than there always are, until {@link leave}. It may not be ready yet. */
  async join(role: Role): Promise<RoleProcess> {
    const [port] = (await freePorts(1)) as [number];
    const like = [...this.options.values()].find((options) => options.role === role);
    if (!like) throw new Error(`there are none of ${role}`);
    const joined = await RoleProcess.start({ ...like, port, logFile: this.logOf(`${role}-more`) }, this.register);
    this.extra.add(joined);
    return joined;
  }

  async leave(process: RoleProcess): Promise<void> {
    this.extra.delete(process);
    await process.stop();
  }

  async killAll(): Promise<void> {
    const all = [...this.processes.values(), ...this.extra];
    this.processes.clear();
    this.extra.clear();
    await Promise.all(all.map((process) => process.kill()));
  }

  private async launch(name: string): Promise<RoleProcess> {
    const options = this.options.get(name);
    if (!options) throw new Error(`there is no ${name}`);
    const process = await RoleProcess.start(options, this.register);
    this.processes.set(name, process);
    void process.exited.then(({ code, signal }) => {
      if (this.processes.get(name) !== process) return;
      this.deaths.push(`${name} ended by itself (${code ?? signal}): ${process.lastWords()}`);
      this.processes.delete(name);
      return this.launch(name);
    });
    return process;
  }

  private logOf(name: string): string {
    return join(this.logFolder, `${name}.log`);
  }
}
