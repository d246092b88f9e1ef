import { readFileSync } from 'node:fs';

import type { DatabaseConfig } from '@hookline/config';

/** What `pg` takes, for TypeORM's pool and for the recorder's own. */
export interface PgConnectionOptions {
  connectionString: string;
  ssl: { rejectUnauthorized: true; ca?: Buffer } | false;
  max: number;
  connectionTimeoutMillis: number;
  statement_timeout: number;
  idle_in_transaction_session_timeout: number;
  keepAlive: true;
  application_name: string;
}

/** @throws Error if the file with the certificate authority can't be read */
export function connectionOptions(config: DatabaseConfig): PgConnectionOptions {
  return {
    connectionString: config.url,
    ssl: config.tls && tlsOptions(config.tlsCaFile),
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    statement_timeout: config.statementTimeoutMs,
    // A process that vanished without a word must not hold its locks for hours.
    idle_in_transaction_session_timeout: 2 * config.statementTimeoutMs,
    keepAlive: true,
    application_name: 'hookline',
  };
}

function tlsOptions(caFile: string | undefined): { rejectUnauthorized: true; ca?: Buffer } {
  return caFile === undefined ? { rejectUnauthorized: true } : { rejectUnauthorized: true, ca: readFileSync(caFile) };
}
