import type { DatabaseConfig } from '@hookline/config';

/** The defaults, for a test's database. */
export function databaseConfig(url: string, changes: Partial<DatabaseConfig> = {}): DatabaseConfig {
  return {
    url,
    tls: false,
    tlsCaFile: undefined,
    poolSize: 4,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 30_000,
    ...changes,
  };
}
