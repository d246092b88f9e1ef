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
      // What a failure is looked into with: a diff of all that it says shows none of it.
      const lines = output.trimEnd().split('\n');
      const wrong = lines.filter((line) => /FAULT|note:|again with/.test(line));
      if (code !== 0 || output.includes('FAULT'))
        throw new Error(`it ended with ${code}: ${(wrong.length > 0 ? wrong : lines.slice(-20)).join('\n')}`);
      expect(output).toMatch(/broker-killed +1 +\d/);
    },
    DEADLINE_MS,
  );
});
