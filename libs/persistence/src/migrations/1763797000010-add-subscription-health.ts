import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Since when attempts at an endpoint have failed. It is the recorder's, and a table of its own: writing it never waits
 * for somebody who is changing the subscription.
 */
export class AddSubscriptionHealth1763797000010 implements MigrationInterface {
  readonly name = 'AddSubscriptionHealth1763797000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE subscriptions ADD COLUMN enabled_at timestamptz, ADD COLUMN missed_since timestamptz;

      CREATE TABLE subscription_health (
        subscription_id text COLLATE "C" NOT NULL CONSTRAINT subscription_health_pkey PRIMARY KEY,
        failing_since timestamptz,
        failed_at timestamptz,
        last_success_at timestamptz,
        enabled_at timestamptz,
        warned_ms bigint NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);
      CREATE INDEX subscription_health_failing_idx ON subscription_health (failing_since)
        WHERE failing_since IS NOT NULL;
      COMMENT ON COLUMN subscription_health.failing_since IS
        'Append time of the first failed attempt since the last success, or since it was enabled';
      COMMENT ON COLUMN subscription_health.failed_at IS 'Append time of the last failed attempt, to the minute';
      COMMENT ON COLUMN subscription_health.last_success_at IS 'Append time of the last success, to the minute';
      COMMENT ON COLUMN subscription_health.enabled_at IS 'As the subscription''s, when this row was last written';
      COMMENT ON COLUMN subscription_health.warned_ms IS 'The longest time of failure that was warned of';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE subscription_health;
      ALTER TABLE subscriptions DROP COLUMN enabled_at, DROP COLUMN missed_since
    `);
  }
}
