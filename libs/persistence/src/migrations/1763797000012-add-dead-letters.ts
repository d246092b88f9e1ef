import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What people do about single deliveries: which ones a replay brings, and which dead letters nobody wants any more. The
 * deliveries' own rows are the recorder's alone, so that this costs it nothing. And the dead letters that are no
 * delivery, which the recorder does not see.
 */
export class AddDeadLetters1763797000012 implements MigrationInterface {
  readonly name = 'AddDeadLetters1763797000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE replay_choices (
        replay_id text COLLATE "C" NOT NULL,
        event_partition integer NOT NULL,
        event_offset bigint NOT NULL,
        subscription_id text COLLATE "C" NOT NULL,
        delivery_id uuid NOT NULL,
        event_at timestamptz NOT NULL,
        letter_at timestamptz,
        CONSTRAINT replay_choices_pkey PRIMARY KEY (replay_id, event_partition, event_offset, subscription_id)
      );
      CREATE INDEX replay_choices_delivery_idx ON replay_choices (delivery_id);
      COMMENT ON TABLE replay_choices IS 'The deliveries of a replay that brings single ones';
      COMMENT ON COLUMN replay_choices.letter_at IS 'The outcome by which it was a dead letter when it was chosen';

      CREATE TABLE audit_entries (
        id text COLLATE "C" NOT NULL CONSTRAINT audit_entries_pkey PRIMARY KEY,
        tenant_id text COLLATE "C" NOT NULL,
        created_at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        request jsonb NOT NULL,
        affected integer NOT NULL,
        note text,
        replay_id text
      );
      CREATE INDEX audit_entries_tenant_idx ON audit_entries (tenant_id, created_at, id);
      COMMENT ON COLUMN audit_entries.actor IS 'operator, or the id of an API key';

      CREATE TABLE dead_letter_discards (
        delivery_id uuid NOT NULL,
        event_at timestamptz NOT NULL,
        letter_at timestamptz NOT NULL,
        audit_id text COLLATE "C" NOT NULL
          CONSTRAINT dead_letter_discards_audit_fkey REFERENCES audit_entries (id),
        CONSTRAINT dead_letter_discards_pkey PRIMARY KEY (delivery_id, event_at)
      );
      COMMENT ON COLUMN dead_letter_discards.letter_at IS
        'The outcome that was discarded; a later one is a dead letter again';

      CREATE TABLE dead_letter_records (
        key text COLLATE "C" NOT NULL CONSTRAINT dead_letter_records_pkey PRIMARY KEY,
        kind text NOT NULL,
        tenant_id text COLLATE "C",
        subscription_id text COLLATE "C",
        source text COLLATE "C",
        reason text NOT NULL,
        appended_at timestamptz NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        said jsonb NOT NULL,
        redriven_at timestamptz
      );
      CREATE INDEX dead_letter_records_tenant_idx ON dead_letter_records (tenant_id, appended_at, key);
      CREATE INDEX dead_letter_records_time_idx ON dead_letter_records (appended_at);
      COMMENT ON TABLE dead_letter_records IS
        'Records of hookline.dead-letters that are no single delivery: ranges that were held, records that can not be read';
      COMMENT ON COLUMN dead_letter_records.key IS 'What it is about: one that was written twice is there once';

      CREATE TABLE dead_letter_positions (
        partition integer NOT NULL CONSTRAINT dead_letter_positions_pkey PRIMARY KEY,
        next_offset bigint NOT NULL
      );
      COMMENT ON TABLE dead_letter_positions IS 'How far hookline.dead-letters was read for dead_letter_records'
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE dead_letter_positions, dead_letter_records, dead_letter_discards, audit_entries, replay_choices
    `);
  }
}
