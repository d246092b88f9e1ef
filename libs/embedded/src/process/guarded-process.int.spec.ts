import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../project-root.js';
import { GuardedProcess } from './guarded-process.js';
import { identify, isAlive } from './process-identity.js';
import { ProcessRegister } from './process-register.js';

const builtIndex = join(projectRoot(), 'dist', 'libs', 'embedded', 'src', 'index.js');
const folder = mkdtempSync(join(tmpdir(), 'hookline-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sleep = { name: 'sleep', command: 'sleep', args: ['600'] };

async function untilDead(identity: { pid: number; startedAt: string }): Promise<void> {
  const end = Date.now() + 20_000;
  while (isAlive(identity)) {
    if (Date.now() > end) throw new Error(`process ${identity.pid} still runs`);
    await pause(20);
  }
}

describe('GuardedProcess', () => {
  it('is another process than a later one with its pid, and a dead one is dead', async () => {
    const started = await GuardedProcess.start(sleep);
    expect(isAlive(started.identity)).toBe(true);
    expect(isAlive({ ...started.identity, startedAt: 'before' })).toBe(false);
    expect(await started.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(identify(started.pid)).toBeUndefined();
  });

  it('is killed if it does not end when it is asked to', async () => {
    const deaf = await GuardedProcess.start({
      ...sleep,
      command: 'sh',
      args: ['-c', 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'],
      logFile: join(folder, 'deaf.log'),
    });
    while (!readFileSync(join(folder, 'deaf.log'), 'utf8').includes('deaf')) await pause(20);
    expect(await deaf.stop('SIGTERM', 100)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('says that a command is not there', async () => {
    await expect(GuardedProcess.start({ ...sleep, command: '/nowhere/x', guard: 'pipe' })).rejects.toThrow(/ENOENT/);
  });

  // A parent of its own, from the built code: it prints the pid of its child and is then killed.
  it.each(['setpriv', 'pipe'] as const)('ends with its parent, by %s', async (guard) => {
    const script = `
      const { GuardedProcess } = await import(${JSON.stringify(builtIndex)});
      const child = await GuardedProcess.start({ ...${JSON.stringify(sleep)}, guard: ${JSON.stringify(guard)} });
      console.log(JSON.stringify(child.identity));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const identity = JSON.parse(line.toString()) as { pid: number; startedAt: string };
    expect(isAlive(identity)).toBe(true);
    parent.kill('SIGKILL');
    await untilDead(identity);
  });

  it('is ended by the next start if it was left behind', async () => {
    const file = join(folder, 'processes.json');
    const { register } = await ProcessRegister.open(file);
    const left = await GuardedProcess.start(sleep, register);
    const { ended } = await ProcessRegister.open(file);
    expect(ended).toEqual(['sleep']);
    await untilDead(left.identity);
  });

  it('forgets in the register what has ended', async () => {
    const file = join(folder, 'processes.json');
    const { register } = await ProcessRegister.open(file);
    const started = await GuardedProcess.start(sleep, register);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([{ name: 'sleep', ...started.identity }]);
    await started.stop();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([]);
  });
});
