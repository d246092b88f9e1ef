import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a subscription asks of its delivery, and why it is disabled. Those that were there have neither order nor
 * limits; whoever is disabled was disabled by the owner, for nobody else could, at a time that nobody wrote down.
 */
export class AddSubscriptionLimits1763797000002 implements MigrationInterface {
  readonly name = 'AddSubscriptionLimits1763797000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE subscriptions
        ADD COLUMN ordering text NOT NULL DEFAULT 'none',
        ADD COLUMN rate_limit jsonb,
        ADD COLUMN max_in_flight integer,
        ADD COLUMN disabled_reason text,
        ADD COLUMN disabled_at timestamptz;
      UPDATE subscriptions SET disabled_reason = 'owner' WHERE status = 'disabled';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE subscriptions DROP COLUMN ordering, DROP COLUMN rate_limit, DROP COLUMN max_in_flight,
        DROP COLUMN disabled_reason, DROP COLUMN disabled_at
    `);
  }
}
