import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is held one by one, by where it stands: those that the log lets go of are looked for all the time. Few rows are ever
 * in it, so that it costs the recorder nothing else.
 */
export class IndexHeld1763797000020 implements MigrationInterface {
  readonly name = 'IndexHeld1763797000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX deliveries_held_idx ON deliveries (event_partition, event_offset, subscription_id) WHERE state = 'held'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX deliveries_held_idx');
  }
}
