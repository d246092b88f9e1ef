import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identify } from '@hookline/embedded';
import { DataFolder } from './data-folder.js';

describe('DataFolder', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'hookline-folder-')), 'data');
  });
  afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

  it('belongs to one running start, and to the next when that has ended, also by a kill', async () => {
    DataFolder.claim(path).release();
    const other = spawn('sleep', ['600']);
    await once(other, 'spawn');
    writeFileSync(join(path, 'running.json'), JSON.stringify(identify(other.pid as number)));
    expect(() => DataFolder.claim(path)).toThrow(`pid ${other.pid}`);
    other.kill('SIGKILL');
    await once(other, 'exit');
    DataFolder.claim(path).release();
  });

  it('says that a folder can’t be made', () => {
    const file = join(path, '..', 'file');
    writeFileSync(file, '');
    expect(() => DataFolder.claim(join(file, 'data'))).toThrow(/can't be used .*--data/);
  });
});
