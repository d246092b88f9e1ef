import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, projectRoot, type ProcessIdentity } from '@hookline/embedded';
import { waitUntil } from '@hookline/testing';

const START_MS = 150_000;
const MAIN = join(projectRoot(), 'dist', 'apps', 'hookline', 'src', 'main.js');

/** A command of a person in the checkout: `npm start`, or what it runs. */
export class Started {
  output = '';
  /** Its exit code, once it has ended and its output is read. */
  readonly code: Promise<number | null>;
  private ended = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.code = once(child, 'exit').then(([code]) => {
      this.ended = true;
      return code as number | null;
    });
  }

  /** `npm start -- <args>` */
  static npm(dataDir: string, ...args: string[]): Started {
    return Started.run('npm', ['start', '--', '--data', dataDir, ...args], dataDir);
  }

  /** What `npm start` runs, without npm. */
  static hookline(dataDir: string, ...args: string[]): Started {
    return Started.run(process.execPath, [MAIN, 'start', '--data', dataDir, ...args], dataDir);
  }

  /** What `npm run demo` runs, without npm. Its data is its own affair. */
  static demo(): Started {
    return Started.run(process.execPath, [MAIN, 'demo'], '');
  }

  private static run(command: string, args: string[], dataDir: string): Started {
    const { KAFKA_BROKERS: _, ...env } = process.env;
    // A group of its own, as a terminal gives it: a signal to it would reach us otherwise.
    const options = { cwd: projectRoot(), env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] as const };
    return new Started(spawn(command, args, { ...options, stdio: [...options.stdio] }), dataDir);
  }

  /** Waits until it says that it is up. @throws Error with its output if it ends instead */
  async up(): Promise<this> {
    const what = () => this.ended || /^Hookline is up/m.test(this.output);
    await waitUntil(what, { deadlineMs: START_MS, what: `a start:\n${this.output}` });
    if (this.ended) throw new Error(`it ended instead of starting:\n${this.output}`);
    return this;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** What a terminal does for Ctrl-C: the signal reaches every process of the group. */
  interrupt(): void {
    process.kill(-(this.child.pid as number), 'SIGINT');
  }

  get key(): string {
    return /^ {2}(hk_\S+)$/m.exec(this.output)?.[1] ?? '';
  }

  get curl(): string {
    return /^ {2}(curl .*)$/m.exec(this.output)?.[1] ?? '';
  }

  /** The supervisor; under npm that is not the process that was started. */
  get supervisor(): ProcessIdentity {
    return JSON.parse(readFileSync(join(this.dataDir, 'running.json'), 'utf8')) as ProcessIdentity;
  }

  /** What it has started: roles, brokers, PostgreSQL. */
  get children(): (ProcessIdentity & { name: string })[] {
    const registers = ['.', 'kafka', 'postgres'].map((folder) => join(this.dataDir, folder, 'processes.json'));
    return registers
      .filter((file) => existsSync(file))
      .flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as (ProcessIdentity & { name: string })[]);
  }
}

/** Waits until none of them lives. */
export async function untilDead(processes: readonly ProcessIdentity[], deadlineMs = 60_000): Promise<void> {
  await waitUntil(() => !processes.some(isAlive), {
    deadlineMs,
    what: `the end of ${JSON.stringify(processes.filter(isAlive))}`,
  });
}
