import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/**
 * What is still to be written to a compacted topic. It is written in the transaction of the change itself, and
 * deleted once Kafka has acknowledged the record.
 */
@Entity('outbox')
@Unique('outbox_topic_key_version_key', ['topic', 'key', 'version'])
export class OutboxEntry {
  /** A bigint, hence text. Grows, but not in the order of commits: order by version within a key. */
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'outbox_pkey',
  })
  id!: string;

  @Column({ type: 'text' })
  topic!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'integer' })
  version!: number;

  /** The record's value, except for what only the publisher knows (`holdsFrom`). */
  @Column({ type: 'jsonb' })
  payload!: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
