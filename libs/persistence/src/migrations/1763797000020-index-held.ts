import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is held one by one, by where it stands and by its subscription: those that the log lets go of, and those of deleted
 * subscriptions, are looked for all the time. Few rows are ever in them, so that they cost the recorder nothing else.
 */
export class IndexHeld1763797000020 implements MigrationInterface {
  readonly name = 'IndexHeld1763797000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX deliveries_held_idx ON deliveries (event_partition, event_offset, subscription_id) WHERE state = 'held'`);
    await runner.query(`
      CREATE INDEX deliveries_held_by_idx ON deliveries (subscription_id, event_partition, event_offset) WHERE state = 'held'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX deliveries_held_idx, deliveries_held_by_idx');
  }
}
