import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The one Kafka cluster whose positions the rows of this database refer to. */
export class RememberCluster1763797000009 implements MigrationInterface {
  readonly name = 'RememberCluster1763797000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE kafka_cluster (
        singleton boolean NOT NULL DEFAULT true CONSTRAINT kafka_cluster_pkey PRIMARY KEY
          CONSTRAINT kafka_cluster_singleton_check CHECK (singleton),
        id text NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE kafka_cluster');
  }
}
