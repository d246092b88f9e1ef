/**
 * Runs before the scripts of package.json, on whatever Node there is: installs what package-lock.json names unless it
 * is installed, and with the argument `build` builds unless what is built is of these sources.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installedNote = join(root, 'node_modules', '.hookline-installed');
const builtNote = join(root, 'dist', '.built-from');
const lock = join(root, '.hookline', 'prepare.lock');

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE)
  fail(`Hookline is installed with Node ${OLDEST_NODE} or later, and this is ${process.version}: install a newer one.`);
await takeLock();
try {
  install();
  if (process.argv[2] === 'build') build();
} finally {
  rmSync(lock, { force: true });
}

function install() {
  const wanted = hash([join(root, 'package-lock.json')]);
  if (read(installedNote) === wanted) return;
  say('installing packages (about a minute, once)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'the packages could not be installed');
  writeFileSync(installedNote, wanted);
}

function build() {
  const wanted = hash(sources());
  if (read(builtNote) === wanted) return;
  say('building');
  const began = Date.now();
  const node = join(root, 'node_modules', '.bin', 'node');
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  rmSync(builtNote, { force: true });
  run(node, [nest, 'build', 'hookline'], 'the build failed');
  for (const file of filesIn(join(root, 'dist'))) if (statSync(file).mtimeMs < began - 2_000) rmSync(file);
  writeFileSync(builtNote, wanted);
}

/** What the build reads; tests are not part of it. */
function sources() {
  const own = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'].map((name) =>
    join(root, name),
  );
  const code = ['apps', 'libs', 'bench', 'test/faults'].flatMap((folder) => filesIn(join(root, folder)));
  return [...own, ...code.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))];
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function hash(files) {
  const sum = createHash('sha256');
  for (const file of files)
    sum
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return sum.digest('hex');
}

/** Two scripts started at once: the second one waits, and then finds everything done. */
async function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      return writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`The lock ${lock} can't be made: ${error.message}`);
    }
    const holder = Number(read(lock));
    if (holder > 0 && !runs(holder)) rmSync(lock, { force: true });
    else if (!waited) say(`waiting for another one (pid ${holder}) that installs or builds`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, failure) {
  // Its output goes where messages go, so that a script's own output stays its own.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  rmSync(lock, { force: true });
  fail(`Hookline can't go on: ${failure}${error ? ` (${error.message})` : ', see above'}.`);
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function say(line) {
  process.stderr.write(`hookline: ${line}…\n`);
}

function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
