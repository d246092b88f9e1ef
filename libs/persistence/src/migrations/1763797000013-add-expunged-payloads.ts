import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Events whose payload was taken out of the history. A table of its own: they are few, it costs the recorder nothing, and a
 * history of any size is migrated at once.
 */
export class AddExpungedPayloads1763797000013 implements MigrationInterface {
  readonly name = 'AddExpungedPayloads1763797000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE expunged_events (
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        appended_at timestamptz NOT NULL,
        expunged_at timestamptz NOT NULL,
        CONSTRAINT expunged_events_pkey PRIMARY KEY (partition, "offset", appended_at)
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE expunged_events');
  }
}
