import { randomBytes } from 'node:crypto';
import pg from 'pg';

const PREFIX = 'hookline_test_';

export const DATABASE_VARIABLE = 'HOOKLINE_TEST_DATABASE_URL';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** An empty database of its own for a test, on the server of global set-up or of `DATABASE_URL`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env[DATABASE_VARIABLE] ?? process.env['DATABASE_URL'];
  if (!server) throw new Error('there is no PostgreSQL: this test belongs to the project integration');
  const name = PREFIX + randomBytes(6).toString('hex');
  await execute(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Whatever deletes asks this first. @throws Error if the database is not one that a test made */
export function assertTestDatabase(url: string): void {
  const name = new URL(url).pathname.slice(1);
  if (!name.startsWith(PREFIX)) throw new Error(`refused: ${name} is not a database that a test made`);
}

/** Empties every table of the schema `public`, whatever refers to it. @throws Error unless it is a test's database */
export async function truncateAll(url: string): Promise<void> {
  assertTestDatabase(url);
  await execute(
    url,
    `DO $$ DECLARE tables text; BEGIN
       SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO tables
         FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migrations%';
       IF tables IS NOT NULL THEN EXECUTE 'TRUNCATE ' || tables || ' CASCADE'; END IF;
     END $$`,
  );
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
