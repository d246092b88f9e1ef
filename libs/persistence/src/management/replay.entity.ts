import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** Offsets of one partition of `hookline.events`; `to` is exclusive. */
export interface ReplayRange {
  from: number;
  next: number;
  to: number;
}

export type ReplayStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

@Entity('replays')
@Index('replays_tenant_idx', ['tenantId', 'createdAt'])
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
}
