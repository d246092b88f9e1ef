import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { installedPostgres } from './postgres-binaries.js';

/** Where PostgreSQL's programs and data are, and who runs it. */
export interface PostgresPlace {
  programs: string;
  data: string;
  /** Absent: ourselves. PostgreSQL refuses to run as root. */
  user?: User;
}

interface User {
  uid: number;
  gid: number;
}

/** For data and programs of a user who can't go where the checkout is, a folder of someone who only root may enter. */
const ELSEWHERE = '/var/lib/hookline';

/**
 * Not root: everything stays in the data folder. As root PostgreSQL runs as `postgres` (else `nobody`); where that user
 * can't enter the data folder or the programs (a checkout that only its owner may enter), they are kept in
 * {@link ELSEWHERE}, and a file in the data folder says where: the two belong together.
 */
export function findPostgresPlace(dir: string): PostgresPlace {
  mkdirSync(dir, { recursive: true });
  const installed = installedPostgres();
  if (process.getuid?.() !== 0) return { programs: installed, data: join(dir, 'data') };
  const user = unprivilegedUser();
  const programs = canRun(join(installed, 'bin', 'postgres'), user) ? installed : copyPrograms(installed);
  return { programs, data: canRun(dir, user) ? join(dir, 'data') : dataElsewhere(dir), user };
}

/** Deletes the data, wherever it is. */
export function dropPostgresData(dir: string): void {
  const pointer = join(dir, 'data-is-in');
  if (existsSync(pointer)) rmSync(readFileSync(pointer, 'utf8'), { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
}

function unprivilegedUser(): User {
  const accounts = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  );
  return accounts.get('postgres') ?? accounts.get('nobody') ?? { uid: 65_534, gid: 65_534 };
}

/** Run, or enter: the same right for a program and for a folder, and all folders above are asked too. */
const canRun = (path: string, user: User): boolean =>
  spawnSync('/bin/sh', ['-c', 'test -x "$0"', path], { ...user, cwd: '/' }).status === 0;

/** One copy for each version on this machine, whatever the number of checkouts. */
function copyPrograms(installed: string): string {
  const { version } = JSON.parse(readFileSync(join(installed, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(openFolder(ELSEWHERE), `postgres-${version}`);
  if (existsSync(target)) return target;
  const partial = `${target}.${process.pid}`;
  cpSync(installed, partial, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', partial]);
  try {
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else another start was quicker
  }
  return target;
}

function dataElsewhere(dir: string): string {
  const base = openFolder(ELSEWHERE);
  dropForgotten(base);
  const pointer = join(dir, 'data-is-in');
  if (!existsSync(pointer)) {
    const place = join(base, `data-${randomBytes(6).toString('hex')}`);
    // In this order: a start at the same time must not take it for forgotten.
    writeFileSync(pointer, place);
    writeFileSync(join(openFolder(place), 'belongs-to'), dir);
  }
  return join(openFolder(readFileSync(pointer, 'utf8')), 'data');
}

/** Data whose data folder was deleted belongs to nobody. */
function dropForgotten(base: string): void {
  for (const name of readdirSync(base).filter((entry) => entry.startsWith('data-'))) {
    const place = join(base, name);
    const owner = join(place, 'belongs-to');
    if (!existsSync(owner)) continue;
    const pointer = join(readFileSync(owner, 'utf8'), 'data-is-in');
    const known = existsSync(pointer) && basename(readFileSync(pointer, 'utf8')) === name;
    if (!known) rmSync(place, { recursive: true, force: true });
  }
}

function openFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  return folder;
}

/** An empty folder that only this user may enter. */
export function makePrivateFolder(folder: string, user: User | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user) chownSync(folder, user.uid, user.gid);
}
