import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the checkout, from the sources as well as from what was built of them. */
export function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`there is no package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}
