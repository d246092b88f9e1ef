import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By which entry of the audit trail a dead letter that is no single delivery was discarded; null: by none. */
export class DiscardRecords1763797000022 implements MigrationInterface {
  readonly name = 'DiscardRecords1763797000022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dead_letter_records ADD COLUMN audit_id text COLLATE "C"');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dead_letter_records DROP COLUMN audit_id');
  }
}
