import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** Offsets of one partition of `hookline.events`; `to` is exclusive. */
export interface ReplayRange {
  from: number;
  next: number;
  to: number;
}

export type ReplayStatus = 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';

/**
 * `replay`: somebody asked for it. `catch-up`: a subscription was enabled or resumed with it. `backlog`: it was held back,
 * and takes from the log again.
 */
export type ReplayKind = 'replay' | 'catch-up' | 'backlog';

@Entity('replays')
@Index('replays_tenant_idx', ['tenantId', 'createdAt'])
@Index('replays_subscription_idx', ['subscriptionId'], { where: 'subscription_id IS NOT NULL' })
@Index('replays_open_idx', ['createdAt'], { where: 'finished_at IS NULL' })
@Index('replays_not_looked_through_idx', ['finishedAt'], { where: `kind = 'catch-up' AND looked_through_at IS NULL` })
export class Replay {
  /** `rpl_…` */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'replays_pkey' })
  id!: string;

  /** Null: asked for by the operator, over all tenants. */
  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;

  /** As it was asked for. */
  @Column({ type: 'jsonb' })
  spec!: Record<string, unknown>;

  @Column({ type: 'text' })
  status!: ReplayStatus;

  /** By partition, once the positions are resolved; `next` is the first offset that is not handed over yet. */
  @Column({ type: 'jsonb', default: () => "'{}'" })
  partitions!: Record<string, ReplayRange>;

  /** Bigints, hence text. */
  @Column({ type: 'bigint', default: 0 })
  scanned!: string;

  @Column({ type: 'bigint', default: 0 })
  matched!: string;

  @Column({ type: 'bigint', default: 0 })
  sent!: string;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt!: Date | null;

  @Column({ type: 'text', default: 'replay' })
  kind!: ReplayKind;

  /** Of a catch-up or a backlog: whose it is. */
  @Column({ name: 'subscription_id', type: 'text', nullable: true })
  subscriptionId!: string | null;

  /** Of a catch-up or a backlog, once it has its place in the log: the version that began it. */
  @Column({ type: 'integer', nullable: true })
  version!: number | null;

  /** Where that version holds from: what the catch-up brings ends there. */
  @Column({ name: 'to_offsets', type: 'jsonb', nullable: true })
  toOffsets!: Record<string, number> | null;

  /** From then on every worker knows of that version; null until it is in the topic. */
  @Column({ name: 'told_at', type: 'timestamptz', nullable: true })
  toldAt!: Date | null;

  /** The offsets of `hookline.attempts` that the recorder must have passed, by partition. */
  @Column({ name: 'not_before', type: 'jsonb', nullable: true })
  notBefore!: Record<string, number> | null;

  /** It waits: nobody looks at it before this. */
  @Column({ name: 'resume_at', type: 'timestamptz', nullable: true })
  resumeAt!: Date | null;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt!: Date | null;

  /** What is to be said of it besides its counts: what was gone, what a dry run found. */
  @Column({ type: 'jsonb', nullable: true })
  result!: Record<string, unknown> | null;

  /** Of a catch-up that has ended: when what it had superseded and not brought was held. */
  @Column({ name: 'looked_through_at', type: 'timestamptz', nullable: true })
  lookedThroughAt!: Date | null;
}
