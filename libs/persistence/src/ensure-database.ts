import type { DatabaseConfig } from '@hookline/config';
import pg from 'pg';
import { connectionOptions } from './connection-options.js';

const NO_SUCH_DATABASE = '3D000';
const EXISTS_ALREADY = '42P04';
/** Every server has this one, and whoever may make databases may use it. */
const MAINTENANCE = 'postgres';

/** Makes the database that the URL names, empty, unless it is there. @throws what pg throws */
export async function ensureDatabase(config: DatabaseConfig): Promise<void> {
  const { max: _, ...options } = connectionOptions(config);
  try {
    await execute(options);
  } catch (error) {
    if ((error as { code?: unknown }).code !== NO_SUCH_DATABASE) throw error;
    const url = new URL(options.connectionString);
    const name = decodeURIComponent(url.pathname.slice(1));
    url.pathname = `/${MAINTENANCE}`;
    await execute({ ...options, connectionString: url.href }, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  }
}

async function execute(options: pg.ClientConfig, sql = 'SELECT 1'): Promise<void> {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } catch (error) {
    // Another process was quicker.
    if ((error as { code?: unknown }).code !== EXISTS_ALREADY) throw error;
  } finally {
    await client.end();
  }
}
