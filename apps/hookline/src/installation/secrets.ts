import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What must be the same at the next start on this data. */
export interface Secrets {
  operatorToken: string;
  /** As in HOOKLINE_SEALING_KEYS. */
  sealingKeys: string;
  /** The key that is shown at start. */
  apiKey?: string;
}

const fileOf = (dataDir: string): string => join(dataDir, 'secrets.json');

/** Those of the data folder; made, where it has none yet. */
export function loadSecrets(dataDir: string): Secrets {
  if (existsSync(fileOf(dataDir))) return JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Secrets;
  const secrets = {
    operatorToken: `hop_${randomBytes(32).toString('base64url')}`,
    sealingKeys: `local:${randomBytes(32).toString('base64')}`,
  };
  saveSecrets(dataDir, secrets);
  return secrets;
}

/** Only its owner may read it. */
export function saveSecrets(dataDir: string, secrets: Secrets): void {
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, undefined, 1)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
