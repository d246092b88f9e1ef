import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What happened, as the recorder writes it. Each table is cut into days: `events`, `event_routes`, `deliveries` and
 * `replay_deliveries` by the event's append time, `attempts` by that of its own record. The recorder makes the days
 * as it meets them. Text compares by its bytes (C), for nothing here is sorted for a reader by language.
 *
 * Each index costs the recorder time with each row, so there are only those that a read needs.
 */
export class CreateHistory1763797000001 implements MigrationInterface {
  readonly name = 'CreateHistory1763797000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE recorder_offsets (
        topic text COLLATE "C" NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        CONSTRAINT recorder_offsets_pkey PRIMARY KEY (topic, partition)
      ) WITH (fillfactor = 10);

      CREATE TABLE events (
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        appended_at timestamptz NOT NULL,
        tenant_id text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        type text COLLATE "C" NOT NULL,
        time text COLLATE "C" NOT NULL,
        key text COLLATE "C",
        payload bytea NOT NULL,
        size integer NOT NULL,
        CONSTRAINT events_pkey PRIMARY KEY (partition, "offset", appended_at)
      ) PARTITION BY RANGE (appended_at);
      -- Over a hash, for a random text of up to 1,024 characters is slow to compare and may not fit an index.
      CREATE INDEX events_event_id_idx ON events (hashtextextended(event_id, 0));

      CREATE TABLE event_routes (
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        appended_at timestamptz NOT NULL,
        matched text[] COLLATE "C" NOT NULL,
        duplicate_of bigint,
        CONSTRAINT event_routes_pkey PRIMARY KEY (partition, "offset", appended_at)
      ) PARTITION BY RANGE (appended_at);
      COMMENT ON TABLE event_routes IS
        'Events that matched none or several, or repeat another; one that matched one has deliveries.sole_match';

      CREATE TABLE deliveries (
        delivery_id uuid NOT NULL,
        event_at timestamptz NOT NULL,
        event_partition integer NOT NULL,
        event_offset bigint NOT NULL,
        tenant_id text COLLATE "C" NOT NULL,
        subscription_id text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        type text COLLATE "C" NOT NULL,
        state text COLLATE "C" NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at timestamptz,
        reason text COLLATE "C",
        last_status integer,
        last_error text COLLATE "C",
        replay_id text COLLATE "C",
        sole_match boolean NOT NULL,
        updated_at timestamptz NOT NULL,
        outcome_offset bigint NOT NULL,
        CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id, event_at)
      ) PARTITION BY RANGE (event_at);
      CREATE INDEX deliveries_event_idx ON deliveries (event_partition, event_offset);
      CREATE INDEX deliveries_subscription_idx ON deliveries (subscription_id, event_at);
      CREATE INDEX deliveries_undelivered_idx ON deliveries (subscription_id, event_at)
        WHERE state <> 'delivered';

      CREATE TABLE replay_deliveries (
        replay_id text COLLATE "C" NOT NULL,
        delivery_id uuid NOT NULL,
        event_at timestamptz NOT NULL,
        state text COLLATE "C" NOT NULL,
        updated_at timestamptz NOT NULL,
        outcome_offset bigint NOT NULL,
        CONSTRAINT replay_deliveries_pkey PRIMARY KEY (replay_id, delivery_id, event_at)
      ) PARTITION BY RANGE (event_at);
      COMMENT ON TABLE replay_deliveries IS
        'What became of a delivery within one replay; its row in deliveries may have been delivered before';

      CREATE TABLE attempts (
        delivery_id uuid NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        appended_at timestamptz NOT NULL,
        tenant_id text COLLATE "C" NOT NULL,
        subscription_id text COLLATE "C" NOT NULL,
        event_partition integer NOT NULL,
        event_offset bigint NOT NULL,
        attempt_id text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        started_at timestamptz NOT NULL,
        duration_ms integer NOT NULL,
        status integer,
        error text COLLATE "C",
        response_body text COLLATE "C",
        replay_id text COLLATE "C",
        CONSTRAINT attempts_pkey PRIMARY KEY (delivery_id, partition, "offset", appended_at)
      ) PARTITION BY RANGE (appended_at);
      COMMENT ON COLUMN attempts.partition IS 'With offset: the position of its record in hookline.attempts';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE attempts, replay_deliveries, deliveries, event_routes, events, recorder_offsets');
  }
}
