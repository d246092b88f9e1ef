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

/** Where versions hold from says nothing of another cluster's log. */
export async function rememberCluster(database: Queryable, id: string): Promise<void> {
  await database.query('DELETE FROM subscription_stamps WHERE EXISTS (SELECT FROM kafka_cluster k WHERE k.id <> $1)', [
    id,
  ]);
  await database.query('INSERT INTO kafka_cluster (id) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET id = $1', [
    id,
  ]);
}

/**
 * For a role that starts: what the database remembers, by a connection of its own; undefined while it can't be asked, for
 * a role starts without it, and asks again.
 * @returns with no id where the database was asked and knows none
 * @throws SchemaTooNew
 */
export async function rememberedCluster(config: DatabaseConfig): Promise<{ id: string | undefined } | undefined> {
  const { max: _, ...options } = connectionOptions(config);
  const client = new pg.Client({ ...options, query_timeout: config.statementTimeoutMs });
  // Lost while it is idle: the next query says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const rows = async (sql: string, values?: unknown[]): Promise<unknown> => (await client.query(sql, values)).rows;
    const database = { query: rows as Queryable['query'] };
    await assertSchemaNotNewer(database);
    return { id: await clusterOf(database) };
  } catch (error) {
    if (error instanceof SchemaTooNew) throw error;
    return undefined;
  } finally {
    // A server that hangs would not answer this either.
    void client.end().catch(() => undefined);
  }
}
