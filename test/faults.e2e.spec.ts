import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { projectRoot } from '@hookline/embedded';

const MAIN = join(projectRoot(), 'dist', 'test', 'faults', 'main.js');
/** On a machine that is busy with other things; alone it takes a fifth of that. */
const DEADLINE_MS = 600_000;

/** A short part of `npm run test:faults`: the whole takes an hour. */
describe('the fault harness', () => {
  let stop = (): void => undefined;
  const folder = mkdtempSync(join(tmpdir(), 'hookline-faults-'));
  afterEach(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'reconciles each event by its id after the workers and a broker are killed under load',
    async () => {
      const faults = ['delivery-killed', 'broker-killed'];
      const load = ['--events', '600', '--rate', '150', '--publishers', '12'];
      // Those of a long run are left alone.
      const results = ['--results', join(folder, 'results.jsonl')];
      const args = [MAIN, '--fault', faults.join(), '--runs', '1', ...load, ...results];
      const child = spawn(process.execPath, args, { cwd: projectRoot(), stdio: ['ignore', 'pipe', 'pipe'] });
      stop = () => void child.kill();
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      // What it says of a run is what a failure is to be looked into with.
      const wrong = output.split('\n').filter((line) => /FAULT|note:|again with/.test(line));
      const isWrong = code !== 0 || output.includes('FAULT');
      expect(isWrong ? { code, wrong } : { code }).toEqual({ code: 0 });
      expect(output).toMatch(/broker-killed +1 +\d/);
    },
    DEADLINE_MS,
  );
});
