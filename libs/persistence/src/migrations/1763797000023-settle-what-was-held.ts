import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which ranges of a span have a dead letter, so that what is held one by one inside them gets no second one. And which
 * catch-ups have been looked through, when they had ended, for what they have superseded and not brought.
 */
export class SettleWhatWasHeld1763797000023 implements MigrationInterface {
  readonly name = 'SettleWhatWasHeld1763797000023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE held_spans ADD COLUMN lettered jsonb NOT NULL DEFAULT '[]';
      COMMENT ON COLUMN held_spans.lettered IS 'What has a dead letter of it: partition, from, to (exclusive)';

      ALTER TABLE replays ADD COLUMN looked_through_at timestamptz;
      CREATE INDEX replays_not_looked_through_idx ON replays (finished_at)
        WHERE kind = 'catch-up' AND looked_through_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX replays_not_looked_through_idx;
      ALTER TABLE replays DROP COLUMN looked_through_at;
      ALTER TABLE held_spans DROP COLUMN lettered`);
  }
}
