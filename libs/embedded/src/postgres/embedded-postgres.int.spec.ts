import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EmbeddedPostgres } from './embedded-postgres.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('EmbeddedPostgres', () => {
  let folder: string;
  let postgres: EmbeddedPostgres;

  beforeEach(() => {
    // 0700, as mkdtemp makes it: as root, the user that PostgreSQL runs as can't go there.
    folder = mkdtempSync(join(tmpdir(), 'hookline-pg-'));
  });
  afterEach(async () => {
    await postgres.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps its data over a stop, also where only the owner may go', async () => {
    postgres = await EmbeddedPostgres.start({ dataDir: folder });
    await query(await postgres.ensureDatabase('kept'), 'CREATE TABLE t AS SELECT 1 AS a');
    await postgres.stop();
    postgres = await EmbeddedPostgres.start({ dataDir: folder });
    expect(await query(await postgres.ensureDatabase('kept'), 'SELECT a FROM t')).toEqual([{ a: 1 }]);
  });

  it('asks for its password', async () => {
    postgres = await EmbeddedPostgres.start({ dataDir: folder, durable: false });
    const wrong = new URL(postgres.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password/);
  });

  it('comes back after a crash, and after a start that was killed', async () => {
    chmodSync(folder, 0o755);
    postgres = await EmbeddedPostgres.start({ dataDir: folder });
    await postgres.kill();
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
    await postgres.restart();
    const left = postgres;
    postgres = await EmbeddedPostgres.start({ dataDir: folder });
    expect(await query(postgres.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
    await left.stop();
  });

  it('refuses data that is damaged or gone, says what to do, and changes nothing', async () => {
    chmodSync(folder, 0o755);
    postgres = await EmbeddedPostgres.start({ dataDir: folder, durable: false });
    await postgres.stop();
    const dir = join(folder, 'postgres');
    const pointer = join(dir, 'data-is-in');
    const data = join(existsSync(pointer) ? readFileSync(pointer, 'utf8') : dir, 'data');
    const start = (): Promise<EmbeddedPostgres> =>
      EmbeddedPostgres.start({ dataDir: folder, durable: false, isMade: true });
    for (const [file, damaged] of [
      ['PG_VERSION', '9.6\n'],
      ['PG_VERSION', ''],
      [join('global', 'pg_control'), 'short'],
    ] as const) {
      const whole = readFileSync(join(data, file));
      writeFileSync(join(data, file), damaged);
      const before = readdirSync(data).filter((name) => name !== 'postmaster.pid');
      await expect(start()).rejects.toThrow(/PostgreSQL ended while .*Nothing was changed\. Bring the folder back/);
      expect(readFileSync(join(data, file), 'utf8')).toBe(damaged);
      expect(readdirSync(data).filter((name) => name !== 'postmaster.pid')).toEqual(before);
      writeFileSync(join(data, file), whole);
    }
    renameSync(data, `${data}.away`);
    await expect(start()).rejects.toThrow(/is gone\. Nothing was changed/);
    expect(existsSync(data)).toBe(false);
    renameSync(`${data}.away`, data);
    postgres = await start();
  });

  it('leaves nothing when it is destroyed', async () => {
    postgres = await EmbeddedPostgres.start({ dataDir: folder, durable: false });
    const pointer = join(folder, 'postgres', 'data-is-in');
    const data = existsSync(pointer) ? readFileSync(pointer, 'utf8') : join(folder, 'postgres');
    expect(existsSync(data)).toBe(true);
    await postgres.destroy();
    expect(existsSync(data)).toBe(false);
  });
});
