import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What has to outlive the log. Where the versions of subscriptions hold from, besides in `hookline.subscriptions`: where that
 * topic is made anew, its records must say the same as before of what nobody has read yet. And between which times a range was
 * written that the log let go of before the recorder had read it.
 */
export class KeepStamps1763797000014 implements MigrationInterface {
  readonly name = 'KeepStamps1763797000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE subscription_stamps (
        subscription_id text NOT NULL CONSTRAINT subscription_stamps_pkey PRIMARY KEY,
        version integer NOT NULL,
        stamped jsonb NOT NULL
      );
      COMMENT ON TABLE subscription_stamps IS
        'Of the last version that was written to the topic: what the next one needs to know of it, and of those before';

      ALTER TABLE recorder_gaps ADD COLUMN since timestamptz, ADD COLUMN until timestamptz;
      COMMENT ON COLUMN recorder_gaps.since IS 'When the last record before it was appended';
      COMMENT ON COLUMN recorder_gaps.until IS 'When the first record after it was appended';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE subscription_stamps;
      ALTER TABLE recorder_gaps DROP COLUMN since, DROP COLUMN until
    `);
  }
}
