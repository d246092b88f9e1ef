import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '@hookline/embedded';
import { loadSecrets } from './secrets.js';

describe('the secrets of a data folder', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hookline-secrets-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are made once, for their owner alone', () => {
    const made = loadSecrets(dir);
    expect(loadSecrets(dir)).toEqual(made);
    expect(statSync(join(dir, 'secrets.json')).mode & 0o077).toBe(0);
  });

  it.each(['', '{"operatorToken":"hop_x","seal', '{"operatorToken":"hop_x"}', 'null'])(
    'that are damaged (%j) are refused, and left as they are',
    (text) => {
      writeFileSync(join(dir, 'secrets.json'), text);
      expect(() => loadSecrets(dir)).toThrow(StartError);
      expect(readFileSync(join(dir, 'secrets.json'), 'utf8')).toBe(text);
    },
  );

  it('are not made anew beside data that was made with others', () => {
    mkdirSync(join(dir, 'kafka'));
    writeFileSync(join(dir, 'kafka', 'cluster.json'), '{}');
    expect(() => loadSecrets(dir)).toThrow(/secrets\.json is missing, and there is data/);
    expect(readdirSync(dir)).toEqual(['kafka']);
  });
});
