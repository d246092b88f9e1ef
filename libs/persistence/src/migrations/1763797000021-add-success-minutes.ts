import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When anything succeeded at all: what shows that attempts get out of here. A row in a minute, whatever the load. */
export class AddSuccessMinutes1763797000021 implements MigrationInterface {
  readonly name = 'AddSuccessMinutes1763797000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE success_minutes (
        minute timestamptz NOT NULL CONSTRAINT success_minutes_pkey PRIMARY KEY
      );
      COMMENT ON TABLE success_minutes IS
        'Minutes, by append time, in which an attempt of any subscription succeeded'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE success_minutes');
  }
}
