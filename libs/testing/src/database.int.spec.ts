import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { assertTestDatabase, createTestDatabase, truncateAll } from './database.js';

describe('createTestDatabase', () => {
  it('makes an empty database of its own, and drops it', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('CREATE TABLE a AS SELECT 1 AS x');
    await truncateAll(database.url);
    expect((await client.query('SELECT * FROM a')).rows).toEqual([]);
    await client.end();
    await database.drop();
    await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(/does not exist/);
  });

  it('refuses to empty a database that is not a test’s', async () => {
    await expect(truncateAll('postgres://hookline@127.0.0.1:1/hookline')).rejects.toThrow(/refused/);
    expect(() => assertTestDatabase('postgres://hookline@127.0.0.1:1/postgres')).toThrow(/refused/);
  });
});
