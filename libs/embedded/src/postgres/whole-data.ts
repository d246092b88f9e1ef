import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.js';

/** Exported for what finds out only later that it can't be opened. */
export const ADVICE =
  'Nothing was changed. Bring the folder back from a backup, or start with another one (--data); the database can also be moved away, and rebuilt from the topics: npm start -- --rebuild-database.';

/** What only a database has that was once finished. */
const REMAINS = [join('global', 'pg_control'), join('base', '1', 'PG_VERSION')];

/**
 * @param data PostgreSQL's data folder
 * @param isMade it has been used before, and has to be there
 * @throws StartError where there is a database that can't be opened: it must not be made anew over what is left of it
 */
export function assertWholeData(data: string, passwordFile: string, isMade = false): void {
  const isVersioned = existsSync(join(data, 'PG_VERSION'));
  const isLeft = REMAINS.some((file) => existsSync(join(data, file)));
  if (!isVersioned && !isLeft && isMade) throw new StartError(`The database in ${data} is gone. ${ADVICE}`);
  if (!isVersioned && isLeft)
    throw new StartError(`${join(data, 'PG_VERSION')} is missing, and there is a database. ${ADVICE}`);
  const hasPassword = existsSync(passwordFile) && readFileSync(passwordFile, 'utf8').trim() !== '';
  if (isVersioned && !hasPassword)
    throw new StartError(`${passwordFile}, with the password of the database, is missing or empty. ${ADVICE}`);
}
