import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Replays that a subscription's own life asks for, and what a replay needs to wait, to be paused and to say at its end.
 * Late slices are the parts of the log that a new version may have missed, for a worker heard of it late.
 */
export class AddReplayKinds1763797000004 implements MigrationInterface {
  readonly name = 'AddReplayKinds1763797000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE replays
        ADD COLUMN kind text NOT NULL DEFAULT 'replay',
        ADD COLUMN subscription_id text,
        ADD COLUMN version integer,
        ADD COLUMN to_offsets jsonb,
        ADD COLUMN told_at timestamptz,
        ADD COLUMN not_before jsonb,
        ADD COLUMN resume_at timestamptz,
        ADD COLUMN started_at timestamptz,
        ADD COLUMN result jsonb;
      CREATE INDEX replays_subscription_idx ON replays (subscription_id) WHERE subscription_id IS NOT NULL;
      CREATE INDEX replays_open_idx ON replays (created_at) WHERE finished_at IS NULL;

      CREATE TABLE late_slices (
        subscription_id text NOT NULL,
        version integer NOT NULL,
        tenant_id text NOT NULL,
        versions jsonb NOT NULL,
        due_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        partitions jsonb,
        CONSTRAINT late_slices_pkey PRIMARY KEY (subscription_id, version)
      );
      CREATE INDEX late_slices_due_idx ON late_slices (due_at);
      COMMENT ON COLUMN late_slices.versions IS 'Live, types and holdsFrom of this version and of those after it, oldest first';
      COMMENT ON COLUMN late_slices.ends_at IS 'What was appended by then may have been matched without this version';
      COMMENT ON COLUMN late_slices.partitions IS 'By partition of hookline.events, from next to to; null until it is due';

      CREATE TABLE late_slice_positions (
        partition integer NOT NULL CONSTRAINT late_slice_positions_pkey PRIMARY KEY,
        next_offset bigint NOT NULL
      );
      COMMENT ON TABLE late_slice_positions IS 'How far hookline.subscriptions was read for versions that may have been missed';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE late_slices, late_slice_positions;
      DROP INDEX replays_subscription_idx, replays_open_idx;
      ALTER TABLE replays DROP COLUMN kind, DROP COLUMN subscription_id, DROP COLUMN version, DROP COLUMN to_offsets,
        DROP COLUMN told_at, DROP COLUMN not_before, DROP COLUMN resume_at, DROP COLUMN started_at, DROP COLUMN result
    `);
  }
}
