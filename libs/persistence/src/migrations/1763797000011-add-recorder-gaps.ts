import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What history does not have of a topic that is past the recorder: a range that the log let go of before it was read,
 * or a day that was dropped. Without it nobody could tell such a range from one in which there was nothing.
 */
export class AddRecorderGaps1763797000011 implements MigrationInterface {
  readonly name = 'AddRecorderGaps1763797000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE recorder_gaps (
        topic text COLLATE "C" NOT NULL,
        partition integer NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint NOT NULL,
        reason text COLLATE "C" NOT NULL
          CONSTRAINT recorder_gaps_reason_check CHECK (reason IN ('log-retention', 'history-retention')),
        from_at timestamptz,
        to_at timestamptz,
        noted_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT recorder_gaps_pkey PRIMARY KEY (topic, partition, to_offset, reason)
      );
      COMMENT ON TABLE recorder_gaps IS
        'Offsets, from inclusive, to exclusive: let go by the log before they were read (log-retention), or dropped
         with their day (history-retention; then all that is below is gone too)';

      -- Days that an older release has dropped.
      INSERT INTO recorder_gaps (topic, partition, from_offset, to_offset, reason)
      SELECT o.topic, o.partition, 0, e.first, 'history-retention'
        FROM recorder_offsets o
        CROSS JOIN LATERAL (SELECT min("offset") AS first FROM events WHERE partition = o.partition) e
       WHERE o.topic = 'hookline.events' AND e.first > 0;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE recorder_gaps');
  }
}
