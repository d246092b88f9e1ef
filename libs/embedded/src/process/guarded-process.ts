import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, type ProcessIdentity } from './process-identity.js';
import type { ProcessRegister } from './process-register.js';

export interface ProcessOptions {
  /** How it is called in messages and in the register. */
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Output is appended here; dropped if absent. */
  logFile?: string;
  /** Whose process it is; only root may say so. */
  user?: { uid: number; gid: number };
  /** What it gets when its parent is gone. */
  orphanSignal?: NodeJS.Signals;
  /** Where `setpriv` can't be had, a second process watches a pipe to us. Only tests say so. */
  guard?: 'setpriv' | 'pipe';
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * A process in a group of its own, so that Ctrl-C in the terminal reaches us alone and we end it in our order; and one
 * that ends by itself when we were killed.
 */
export class GuardedProcess {
  readonly exited: Promise<Exit>;
  readonly identity: ProcessIdentity;
  private exit: Exit | undefined;

  private constructor(
    readonly name: string,
    child: ChildProcess,
    register: ProcessRegister | undefined,
  ) {
    this.identity = identify(child.pid as number) ?? { pid: child.pid as number, startedAt: 'gone' };
    register?.add(name, this.identity);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal };
        register?.remove(this.identity.pid);
        resolve(this.exit);
      });
    });
  }

  /** @throws Error if the command can't be run at all */
  static async start(options: ProcessOptions, register?: ProcessRegister): Promise<GuardedProcess> {
    const guard = options.guard ?? (hasSetpriv() ? 'setpriv' : 'pipe');
    const orphanSignal = options.orphanSignal ?? 'SIGKILL';
    const [command, args] =
      guard === 'setpriv'
        ? ['setpriv', ['--pdeathsig', orphanSignal.slice(3), '--', options.command, ...options.args]]
        : [options.command, [...options.args]];
    const log = options.logFile === undefined ? 'ignore' : openLog(options.logFile);
    try {
      const child = spawn(command, args, {
        cwd: options.cwd,
        env: options.env,
        detached: true,
        stdio: ['ignore', log, log],
        ...options.user,
      });
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      const started = new GuardedProcess(options.name, child, register);
      if (guard === 'pipe') watchByPipe(started, orphanSignal);
      return started;
    } finally {
      if (typeof log === 'number') closeSync(log);
    }
  }

  get pid(): number {
    return this.identity.pid;
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, signal);
  }

  /** Asks it to end, and kills it if it has not after `deadlineMs`. Does nothing to one that has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = 30_000): Promise<Exit> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), deadlineMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

let setprivFound: boolean | undefined;

/** util-linux's setpriv asks the kernel for a signal on the parent's death, and survives a change of user. */
function hasSetpriv(): boolean {
  setprivFound ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  return setprivFound;
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a', 0o600);
}

/** A shell that reads a pipe to us: its end means that we are gone. It is ended itself when the process has. */
function watchByPipe(watched: GuardedProcess, signal: NodeJS.Signals): void {
  const script = `cat >/dev/null; kill -${signal.slice(3)} ${watched.pid}`;
  const watcher = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  void watched.exited.then(() => watcher.kill('SIGKILL'));
}
