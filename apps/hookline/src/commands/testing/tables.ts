import { databaseSection, loadConfig } from '@hookline/config';
import { createDataSource } from '@hookline/persistence';
import type { DataSource } from 'typeorm';

type Row = Readonly<Record<string, unknown>>;

/** Every row of every table, by table; those of a table in an order of their own texts. */
export type Tables = ReadonlyMap<string, readonly Row[]>;

/** Partitions are read with their table, and what the migrations note is no data. */
const TABLES = `
  SELECT c.relname AS name FROM pg_class c
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
     AND c.relname NOT LIKE '%migrations%'
   ORDER BY 1`;

export async function withDatabase<T>(url: string, use: (database: DataSource) => Promise<T>): Promise<T> {
  const { database } = loadConfig({ database: databaseSection }, { DATABASE_URL: url });
  const source = await createDataSource(database).initialize();
  try {
    return await use(source);
  } finally {
    await source.destroy();
  }
}

/** What a database says, at one moment. */
export function allRows(database: DataSource): Promise<Tables> {
  return database.transaction('REPEATABLE READ', async (manager) => {
    const tables = new Map<string, Row[]>();
    for (const { name } of await manager.query<{ name: string }[]>(TABLES)) {
      const rows = await manager.query<{ row: Row }[]>(`SELECT to_jsonb(t) AS row FROM ${name} t`);
      tables.set(
        name,
        rows.map(({ row }) => row),
      );
    }
    return tables;
  });
}

/**
 * Where two databases say something else, as `table (rows)` where one has others, or `table.column`, with what they say.
 * @param identities the columns by which a row of a table is the same row in both; all of them where nothing is said
 * @param besides what may differ, by these names, and whole tables
 */
export function differences(
  before: Tables,
  after: Tables,
  identities: Readonly<Record<string, readonly string[]>>,
  besides: ReadonlySet<string>,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [table, rows] of before) {
    if (besides.has(table)) continue;
    const named = identities[table];
    const keyOf = (row: Row): string => JSON.stringify((named ?? Object.keys(row)).map((column) => row[column]));
    const rebuilt = new Map((after.get(table) ?? []).map((row) => [keyOf(row), row]));
    if (rebuilt.size !== rows.length) found.set(`${table} (rows)`, `${rows.length}, and then ${rebuilt.size}`);
    for (const row of rows) {
      const other = rebuilt.get(keyOf(row));
      if (other === undefined) found.set(`${table} (rows)`, `${keyOf(row)} is gone`);
      else for (const [column, what] of changes(row, other)) found.set(`${table}.${column}`, `${keyOf(row)}: ${what}`);
    }
  }
  return new Map([...found].filter(([name]) => !besides.has(name)));
}

function changes(row: Row, other: Row): [column: string, what: string][] {
  return Object.entries(row)
    .map(([column, value]) => [column, JSON.stringify(value), JSON.stringify(other[column])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([column, was, is]) => [column, `${was}, and then ${is}`]);
}
