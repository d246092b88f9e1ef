import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@hookline/testing';
import type { DataSource } from 'typeorm';
import { createDataSource, MIGRATIONS, MIGRATIONS_TABLE } from './data-source.js';
import { toSubscriptionRecord } from './management/subscription-record.js';
import { Subscription } from './management/subscription.entity.js';
import { migrate, schemaState, SchemaTooNew } from './migrate.js';
import { databaseConfig } from './testing/database-config.js';

describe('migrate', () => {
  let database: TestDatabase;
  let sources: DataSource[];
  const open = async (): Promise<DataSource> => {
    const source = await createDataSource(databaseConfig(database.url)).initialize();
    sources.push(source);
    return source;
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    sources = [];
  });
  afterEach(async () => {
    await Promise.all(sources.map((source) => source.destroy()));
    await database.drop();
  });

  it('runs each migration once, however often it is asked', async () => {
    const source = await open();
    expect(await schemaState(source)).toBe('older');
    expect(await migrate(source)).toHaveLength(MIGRATIONS.length);
    expect(await migrate(source)).toEqual([]);
    expect(await schemaState(source)).toBe('current');
  });

  it('lets several processes ask at once', async () => {
    const all = await Promise.all([open(), open(), open(), open()]);
    const runs = await Promise.all(all.map((source) => migrate(source)));
    expect(runs.map((names) => names.length).sort()).toEqual([0, 0, 0, MIGRATIONS.length]);
  });

  it('lets a migration take as long as it needs', async () => {
    const source = await open();
    const seen: unknown[] = [];
    const timeout = async (): Promise<unknown> => {
      return (await source.query<{ statement_timeout: string }[]>('SHOW statement_timeout'))[0]?.statement_timeout;
    };
    expect(await timeout()).not.toBe('0');
    source.migrations.push({
      name: 'Probe9999999999999',
      up: async (runner) => void seen.push(await runner.query('SHOW statement_timeout')),
      down: async () => undefined,
    });
    await migrate(source);
    expect(seen).toEqual([[{ statement_timeout: '0' }]]);
    expect(await timeout()).not.toBe('0');
  });

  it('refuses a database that a newer release has migrated', async () => {
    const source = await open();
    await migrate(source);
    await source.query(`INSERT INTO ${MIGRATIONS_TABLE} (timestamp, name) VALUES (9999999999999, 'FromTomorrow')`);
    expect(await schemaState(source)).toBe('newer');
    await expect(migrate(source)).rejects.toThrow(SchemaTooNew);
    await expect(migrate(source)).rejects.toThrow(/FromTomorrow/);
  });

  it('makes exactly what the entities say', async () => {
    const source = await open();
    await migrate(source);
    const difference = await source.driver.createSchemaBuilder().log();
    expect(difference.upQueries.map((query) => query.query)).toEqual([]);
  });

  it('leaves subscriptions of before without order and limits, and disabled by their owners', async () => {
    const source = await open();
    await migrate(source);
    // Back to the schema of 1763797000001.
    for (let undone = 2; undone < MIGRATIONS.length; undone += 1) await source.undoLastMigration();
    await source.query(`
      INSERT INTO tenants (id, name) VALUES ('ten_1', 'One');
      INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version) VALUES
        ('sub_1', 'ten_1', 'http://x', '{*}', 'enabled', 'sealed', 1),
        ('sub_2', 'ten_1', 'http://x', '{*}', 'disabled', 'sealed', 2)`);
    await migrate(source);
    const rows = await source.manager.find(Subscription, { order: { id: 'ASC' } });
    const unlimited = { ordering: 'none', rateLimit: null, maxInFlight: null, disabledAt: null };
    expect(rows).toMatchObject([
      { ...unlimited, status: 'enabled', disabledReason: null },
      { ...unlimited, status: 'disabled', disabledReason: 'owner' },
    ]);
    expect(rows.map(toSubscriptionRecord)[0]).toEqual({
      v: 1,
      version: 1,
      id: 'sub_1',
      tenant: 'ten_1',
      url: 'http://x',
      types: ['*'],
      status: 'enabled',
      sealed: 'sealed',
    });
  });

  it('can be taken back', async () => {
    const source = await open();
    await migrate(source);
    for (let undone = 0; undone < MIGRATIONS.length; undone += 1) await source.undoLastMigration();
    const tables = await source.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1`,
      [MIGRATIONS_TABLE],
    );
    expect(tables).toEqual([]);
  });
});
