import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GuardedProcess, type Exit } from '../process/guarded-process.js';
import type { ProcessRegister } from '../process/process-register.js';
import { projectRoot } from '../project-root.js';
import { StartError } from '../start-error.js';
import { tailOf } from '../tail.js';

export interface RoleProcessOptions {
  /** A folder of apps/, e.g. `ingest`. */
  role: string;
  /** On loopback. */
  port: number;
  /** Its settings; nothing else is passed on but PATH and the like. */
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** Ready to work, or only alive and waiting for something. */
export type RoleProbe = 'readyz' | 'healthz';

const POLL_MS = 50;
/** MiB. Where what is young has more room, it is collected less often, and less of it is copied before it dies. */
const SEMI_SPACE_MIB = 32;

/** A role as a process of its own, from what was built. */
export class RoleProcess {
  private constructor(
    readonly options: RoleProcessOptions,
    private readonly process: GuardedProcess,
  ) {}

  static async start(options: RoleProcessOptions, register?: ProcessRegister): Promise<RoleProcess> {
    const { role, port, env, logFile } = options;
    const entry = join(projectRoot(), 'dist', 'apps', role, 'src', 'main.js');
    const started = await GuardedProcess.start(
      {
        name: role,
        command: process.execPath,
        args: ['--enable-source-maps', `--max-semi-space-size=${SEMI_SPACE_MIB}`, entry],
        env: { HOOKLINE_HTTP_HOST: '127.0.0.1', ...env, HOOKLINE_HTTP_PORT: String(port) },
        logFile,
      },
      register,
    );
    return new RoleProcess(options, started);
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  get pid(): number {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.running;
  }

  get exited(): Promise<Exit> {
    return this.process.exited;
  }

  /** Waits until the probe says so. @throws StartError if it ends before, or is not ready in time */
  async untilReady(deadlineMs = 90_000, probe: RoleProbe = 'readyz'): Promise<void> {
    const end = Date.now() + deadlineMs;
    let last = 'it did not answer';
    while (this.running) {
      try {
        const response = await fetch(`${this.url}/${probe}`, { signal: AbortSignal.timeout(5_000) });
        if (response.ok) return;
        last = await response.text();
      } catch {
        // it does not listen yet
      }
      if (Date.now() > end) throw new StartError(`${this.options.role} was not ready in ${deadlineMs} ms: ${last}`);
      await pause(POLL_MS);
    }
    throw new StartError(`${this.options.role} ended while it started: ${this.lastWords()}`);
  }

  /** Lets it drain; kills it if that takes too long. */
  stop(deadlineMs = 30_000): Promise<Exit> {
    return this.process.stop('SIGTERM', deadlineMs);
  }

  /** SIGKILL, or another signal, e.g. SIGSTOP. Resolves when it is dead, if the signal is one that kills. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.signal(signal);
    if (signal === 'SIGKILL') await this.exited;
  }

  /** What it has said, JSON lines. */
  logs(bytes = 1_000_000): string {
    return tailOf(this.options.logFile, bytes);
  }

  /** Its last lines, as short as a message can take. */
  lastWords(): string {
    const lines = this.logs(16_384).trim().split('\n');
    const bad = lines.filter((line) => /"level":"(error|fatal)"/.test(line) || !line.startsWith('{'));
    return (bad.length > 0 ? bad : lines).slice(-6).join('\n').slice(-1_500) || 'it said nothing';
  }
}
