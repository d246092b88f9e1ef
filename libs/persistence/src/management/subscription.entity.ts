import type { RateLimit } from '@hookline/contracts';
import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Tenant } from './tenant.entity.js';

/** Who or what disabled a subscription: its owner, or its endpoint's answer 410. */
export type DisabledReason = 'owner' | 'endpoint-gone';

@Entity('subscriptions')
@Index('subscriptions_tenant_idx', ['tenantId'])
export class Subscription {
  /** `sub_…` */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'subscriptions_pkey' })
  id!: string;

  @Column({ name: 'tenant_id', type: 'text' })
  @ForeignKey(() => Tenant, { name: 'subscriptions_tenant_fkey' })
  tenantId!: string;

  @Column({ type: 'text' })
  url!: string;

  /** Exact types, `prefix.*` or `*`. */
  @Column({ type: 'text', array: true })
  types!: string[];

  @Column({ type: 'text' })
  status!: 'enabled' | 'disabled' | 'deleted';

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  /** The contracts' SubscriptionSecrets, sealed. */
  @Column({ type: 'text' })
  sealed!: string;

  /** Grows with each change. */
  @Column({ type: 'integer' })
  version!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** Set by whoever changes the row. */
  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt!: Date | null;

  /** `key`: deliveries of one ordering key one after the other. Never changed. */
  @Column({ type: 'text', default: 'none' })
  ordering!: 'none' | 'key';

  @Column({ name: 'rate_limit', type: 'jsonb', nullable: true })
  rateLimit!: RateLimit | null;

  /** Null: the workers' own setting. */
  @Column({ name: 'max_in_flight', type: 'integer', nullable: true })
  maxInFlight!: number | null;

  /** Null while it is enabled. */
  @Column({ name: 'disabled_reason', type: 'text', nullable: true })
  disabledReason!: DisabledReason | null;

  /** Null while it is enabled, and where it was disabled before this was written down. */
  @Column({ name: 'disabled_at', type: 'timestamptz', nullable: true })
  disabledAt!: Date | null;
}
