import type { DatabaseConfig } from '@hookline/config';
import pg from 'pg';
import { connectionOptions } from './connection-options.js';
import { assertSchemaNotNewer, SchemaTooNew, type Queryable } from './migrate.js';

/** Of the Kafka cluster, as this database remembers it; undefined where it doesn't yet. */
export async function clusterOf(database: Queryable): Promise<string | undefined> {
  const [table] = await database.query<{ there: boolean }[]>(
    `SELECT to_regclass('kafka_cluster') IS NOT NULL AS there`,
  );
  if (table?.there !== true) return undefined;
  const [row] = await database.query<{ id: string }[]>('SELECT id FROM kafka_cluster');
  return row?.id;
}

export async function rememberCluster(database: Queryable, id: string): Promise<void> {
  await database.query('INSERT INTO kafka_cluster (id) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET id = $1', [
    id,
  ]);
}

/**
 * For a role that starts: what the database remembers, by a connection of its own; undefined while it can't be asked, for
 * a role starts without it.
 * @throws SchemaTooNew
 */
export async function rememberedCluster(config: DatabaseConfig): Promise<string | undefined> {
  const { max: _, ...options } = connectionOptions(config);
  const client = new pg.Client({ ...options, query_timeout: config.statementTimeoutMs });
  // Lost while it is idle: the next query says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const rows = async (sql: string, values?: unknown[]): Promise<unknown> => (await client.query(sql, values)).rows;
    const database = { query: rows as Queryable['query'] };
    await assertSchemaNotNewer(database);
    return await clusterOf(database);
  } catch (error) {
    if (error instanceof SchemaTooNew) throw error;
    return undefined;
  } finally {
    // A server that hangs would not answer this either.
    void client.end().catch(() => undefined);
  }
}
