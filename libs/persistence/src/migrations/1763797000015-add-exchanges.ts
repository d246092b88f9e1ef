import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What can't be derived of the request and the answer of an attempt. Both are null of attempts from before. */
export class AddExchanges1763797000015 implements MigrationInterface {
  readonly name = 'AddExchanges1763797000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE attempts ADD COLUMN subscription_version integer, ADD COLUMN response_headers text COLLATE "C";
      COMMENT ON COLUMN attempts.subscription_version IS 'That it was made by';
      COMMENT ON COLUMN attempts.response_headers IS
        'Of an answer that was no success, secrets masked: JSON, [name, value, name, value, ...]'
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE attempts DROP COLUMN subscription_version, DROP COLUMN response_headers');
  }
}
