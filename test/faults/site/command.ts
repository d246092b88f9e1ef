import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '@hookline/embedded';

/** What a run of the command line has said. */
export interface Said {
  /** Null where a signal ended it. */
  code: number | null;
  /** To standard output. */
  report: string;
  /** To standard error. */
  errors: string;
}

/** Runs `hookline` with these arguments, as an operator would, until it ends. */
export async function hookline(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  const entry = join(projectRoot(), 'dist', 'apps', 'hookline', 'src', 'main.js');
  const child = spawn(process.execPath, [entry, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [report, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (report += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, report, errors };
}
