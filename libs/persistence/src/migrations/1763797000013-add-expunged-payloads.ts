import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Events whose payload was taken out of the history. The index has these only, so it costs the recorder nothing. */
export class AddExpungedPayloads1763797000013 implements MigrationInterface {
  readonly name = 'AddExpungedPayloads1763797000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE events ADD COLUMN expunged_at timestamptz;
      CREATE INDEX events_expunged_idx ON events (partition, "offset") WHERE expunged_at IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX events_expunged_idx; ALTER TABLE events DROP COLUMN expunged_at');
  }
}
