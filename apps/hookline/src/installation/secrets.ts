import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStateFile, StartError } from '@hookline/embedded';

/** What must be the same at the next start on this data. */
export interface Secrets {
  operatorToken: string;
  /** As in HOOKLINE_SEALING_KEYS. */
  sealingKeys: string;
  /** The key that is shown at start. */
  apiKey?: string;
}

const fileOf = (dataDir: string): string => join(dataDir, 'secrets.json');

const ADVICE =
  'Without it nothing opens the secrets of the subscriptions. Bring it back from a backup, or start with another folder (--data).';

/**
 * Those of the data folder; made, where it has no data yet.
 * @throws StartError where they are damaged, or missing beside data that was made with them
 */
export function loadSecrets(dataDir: string): Secrets {
  const kept = readStateFile<Secrets>(fileOf(dataDir), isWhole, ADVICE);
  if (kept !== undefined) return kept;
  if (existsSync(join(dataDir, 'kafka', 'cluster.json')) || existsSync(join(dataDir, 'postgres', 'password')))
    throw new StartError(`${fileOf(dataDir)} is missing, and there is data. Nothing was changed. ${ADVICE}`);
  const secrets = {
    operatorToken: `hop_${randomBytes(32).toString('base64url')}`,
    sealingKeys: `local:${randomBytes(32).toString('base64')}`,
  };
  saveSecrets(dataDir, secrets);
  return secrets;
}

function isWhole({ operatorToken, sealingKeys, apiKey }: Partial<Secrets>): boolean {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  return isText(operatorToken) && isText(sealingKeys) && (apiKey === undefined || isText(apiKey));
}

/** Only its owner may read it. */
export function saveSecrets(dataDir: string, secrets: Secrets): void {
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, undefined, 1)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
