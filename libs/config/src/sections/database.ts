import { section } from '../load.js';
import { count, duration, flag, optionalText, text } from '../setting.js';

export interface DatabaseConfig {
  url: string;
  tls: boolean;
  tlsCaFile: string | undefined;
  poolSize: number;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
}

export const databaseSection = section<DatabaseConfig>('PostgreSQL', {
  url: text('DATABASE_URL', 'postgres://user:password@host:port/database.', { secret: true }),
  tls: flag('DATABASE_TLS', 'Speak TLS to PostgreSQL, and check its certificate.', { default: false }),
  tlsCaFile: optionalText('DATABASE_TLS_CA_FILE', 'A file with the certificate authority, PEM.'),
  poolSize: count('DATABASE_POOL_SIZE', 'Connections that a process holds at most.', { default: 8, min: 2, max: 200 }),
  connectTimeoutMs: duration('DATABASE_CONNECT_TIMEOUT', 'How long to wait for a connection.', { default: '5s' }),
  statementTimeoutMs: duration('DATABASE_STATEMENT_TIMEOUT', 'How long a statement may take.', { default: '30s' }),
});
