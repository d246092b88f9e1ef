import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.js';

const ADVICE =
  'Nothing was changed. Bring the folder back from a backup, or start with another one (--data); the database can also be moved away, and rebuilt from the topics: hookline rebuild-database.';

/**
 * @param data PostgreSQL's data folder
 * @throws StartError where there is a database that can't be opened: it must not be made anew over what is left of it
 */
export function assertWholeData(data: string, passwordFile: string): void {
  const isVersioned = existsSync(join(data, 'PG_VERSION'));
  // The last of what initdb makes first: without it the folder was never finished, and has nothing.
  if (!isVersioned && existsSync(join(data, 'global', 'pg_control')))
    throw new StartError(`${join(data, 'PG_VERSION')} is missing, and there is a database. ${ADVICE}`);
  const hasPassword = existsSync(passwordFile) && readFileSync(passwordFile, 'utf8').trim() !== '';
  if (isVersioned && !hasPassword)
    throw new StartError(`${passwordFile}, with the password of the database, is missing or empty. ${ADVICE}`);
}
