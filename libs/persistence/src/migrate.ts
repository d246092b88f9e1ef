import { Refusal } from '@hookline/platform';
import { type DataSource, MigrationExecutor } from 'typeorm';
import { MIGRATIONS, MIGRATIONS_TABLE } from './data-source.js';

/** "hookline" as a number: whoever migrates this database holds this advisory lock. */
const MIGRATION_LOCK = 0x686f6f6b;

/** How the database's schema stands to this code's. */
export type SchemaState = 'current' | 'older' | 'newer';

/** The database was migrated by a newer release: this one would misread it. */
export class SchemaTooNew extends Refusal {
  override name = 'SchemaTooNew';
  constructor(readonly unknown: readonly string[]) {
    super(
      `The database is newer than this release of Hookline: it does not know ${unknown.join(', ')}. Nothing was written. Start the release that made these, or a later one; or name another database (DATABASE_URL).`,
    );
  }
}

/**
 * Brings the schema up to this code. Safe to run twice, and by several processes at once: one does it, the others wait.
 * @returns the names of the migrations that were run
 * @throws SchemaTooNew
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const guard = dataSource.createQueryRunner();
  await guard.connect();
  try {
    // Waiting for another's migration may take longer than a statement may, and so may a migration.
    await guard.query('SET statement_timeout = 0');
    await guard.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await assertSchemaNotNewer(dataSource);
    const executor = new MigrationExecutor(dataSource, guard);
    executor.transaction = 'each';
    const done = await executor.executePendingMigrations();
    return done.map((migration) => migration.name);
  } finally {
    await guard.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await guard.query('RESET statement_timeout').catch(() => undefined);
    await guard.release();
  }
}

/** @throws SchemaTooNew if the database holds migrations that this code doesn't know */
export async function assertSchemaNotNewer(database: Queryable): Promise<void> {
  const { unknown } = await compareSchema(database);
  if (unknown.length > 0) throw new SchemaTooNew(unknown);
}

export async function schemaState(database: Queryable): Promise<SchemaState> {
  const { unknown, missing } = await compareSchema(database);
  if (unknown.length > 0) return 'newer';
  return missing.length > 0 ? 'older' : 'current';
}

/** The part of a DataSource that reads need. */
export type Queryable = Pick<DataSource, 'query'>;

async function compareSchema(database: Queryable): Promise<{ unknown: string[]; missing: string[] }> {
  const known = MIGRATIONS.map((migration) => migration.name);
  const [table] = await database.query<{ there: boolean }[]>('SELECT to_regclass($1) IS NOT NULL AS there', [
    MIGRATIONS_TABLE,
  ]);
  const rows = table?.there ? await database.query<{ name: string }[]>(`SELECT name FROM ${MIGRATIONS_TABLE}`) : [];
  const applied = new Set(rows.map((row) => row.name));
  return {
    unknown: [...applied].filter((name) => !known.includes(name)),
    missing: known.filter((name) => !applied.has(name)),
  };
}
