import type { DatabaseConfig } from '@hookline/config';
import pg from 'pg';
import { connectionOptions } from './connection-options.js';

/**
 * A pool of plain connections, for who writes much. It connects when it is first asked.
 * @param onIdleError told of a connection that broke while nobody used it; the pool replaces it
 */
export function createPool(config: DatabaseConfig, onIdleError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(connectionOptions(config));
  // Without a listener such an error would end the process.
  pool.on('error', onIdleError);
  return pool;
}
