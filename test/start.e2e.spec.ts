import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, isAlive } from '@hookline/embedded';
import { Started, untilDead } from './support/started.js';

const TEST_MS = 240_000;
const EVERYTHING = ['admin-api', 'delivery', 'ingest', 'kafka-1', 'postgres', 'recorder'];

/** The tests go on where the one before has stopped: each is a start on the same data. */
describe('npm start', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-start-'));
  const starts: Started[] = [];
  let portBase: number;
  let key: string;

  beforeAll(async () => {
    [portBase] = (await freePorts(1)) as [number];
  });
  afterAll(async () => {
    for (const started of starts) started.signal('SIGKILL');
    await Promise.all(starts.map(({ code }) => code));
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function npmStart(): Promise<Started> {
    const started = Started.npm(dataDir, '--port-base', String(portBase));
    starts.push(started);
    return started.up();
  }

  async function hookline(...args: string[]): Promise<{ code: number | null; output: string }> {
    const started = Started.hookline(dataDir, ...args);
    return { code: await started.code, output: started.output };
  }

  it(
    'starts everything, prints a curl line that works, and ends with 0 when npm gets a TERM',
    async () => {
      const started = await npmStart();
      key = started.key;
      expect(key).toMatch(/^hk_/);
      expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
      const { stdout } = await promisify(execFile)('sh', ['-c', started.curl]);
      expect(stdout).toMatch(/^HTTP\/1.1 202/);

      const { children } = started;
      expect(children.map(({ name }) => name).sort()).toEqual(EVERYTHING);
      const second = await hookline('--port-base', String(portBase + 10));
      expect(second).toEqual({ code: 1, output: expect.stringMatching(/runs already .*--data/) });

      started.signal('SIGTERM');
      expect(await started.code).toBe(0);
      expect(started.output).toMatch(/stopped\s*$/);
      expect(children.filter(isAlive)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'shows the same key again; when the supervisor is killed, everything ends by itself',
    async () => {
      const started = await npmStart();
      expect(started.key).toBe(key);
      const { children, supervisor } = started;
      expect(children).toHaveLength(EVERYTHING.length);
      process.kill(supervisor.pid, 'SIGKILL');
      await untilDead(children);
      expect(await started.code).not.toBe(0);
    },
    TEST_MS,
  );

  it(
    'starts again after that, and ends with 0 when a person types Ctrl-C',
    async () => {
      const started = await npmStart();
      const { children } = started;
      expect(children.map(({ name }) => name).sort()).toEqual(EVERYTHING);
      started.interrupt();
      expect(await started.code).toBe(0);
      expect(started.output).toMatch(/stopped\s*$/);
      expect(children.filter(isAlive)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'starts again after that; when npm is killed, everything ends by itself',
    async () => {
      const started = await npmStart();
      expect(started.key).toBe(key);
      const everything = [...started.children, started.supervisor];
      started.signal('SIGKILL');
      await untilDead(everything);
    },
    TEST_MS,
  );

  it('says who has a port, and that data has a number of copies', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(portBase + 2, '127.0.0.1', resolve));
    const taken = await hookline('--port-base', String(portBase));
    await new Promise((resolve) => server.close(resolve));
    const pattern = new RegExp(`^Port ${portBase + 2}, for delivery, is in use.*--port-base`);
    expect(taken).toEqual({ code: 1, output: expect.stringMatching(pattern) });

    const other = await hookline('--port-base', String(portBase), '--brokers', '3');
    expect(other).toEqual({ code: 1, output: expect.stringMatching(/made with one broker.*--brokers 1/) });
  });
});
