import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a subscription has not got, as spans of the log. A span opens with the version that stops taking events, and is
 * closed by the one that takes them again; the publisher knows both positions when it writes the versions to the topic.
 */
export class AddHeldSpans1763797000003 implements MigrationInterface {
  readonly name = 'AddHeldSpans1763797000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE subscriptions
        ADD COLUMN epoch integer NOT NULL DEFAULT 0,
        ADD COLUMN held_back boolean NOT NULL DEFAULT false,
        ADD COLUMN catching_up text;

      CREATE TABLE held_spans (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT held_spans_pkey PRIMARY KEY,
        subscription_id text NOT NULL
          CONSTRAINT held_spans_subscription_fkey REFERENCES subscriptions (id),
        tenant_id text NOT NULL,
        version integer NOT NULL,
        reason text NOT NULL,
        since timestamptz NOT NULL,
        from_offsets jsonb NOT NULL,
        to_offsets jsonb,
        replay_id text,
        ended_as text,
        ended_at timestamptz,
        CONSTRAINT held_spans_subscription_version_key UNIQUE (subscription_id, version)
      );
      CREATE INDEX held_spans_unended_idx ON held_spans (subscription_id) WHERE ended_at IS NULL;
      COMMENT ON COLUMN held_spans.version IS 'The version that opened it';
      COMMENT ON COLUMN held_spans.to_offsets IS 'Exclusive, by partition of hookline.events; null while it is open';
      COMMENT ON COLUMN held_spans.replay_id IS 'The catch-up that brings it';
      COMMENT ON COLUMN held_spans.ended_as IS 'caught-up, let-go or deleted';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE held_spans;
      ALTER TABLE subscriptions DROP COLUMN epoch, DROP COLUMN held_back, DROP COLUMN catching_up
    `);
  }
}
