import type { RateLimit, SubscriptionStatus } from '@hookline/contracts';
import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Tenant } from './tenant.entity.js';

/** Who or what disabled a subscription: its owner, its endpoint's answer 410, or that nothing succeeded for too long. */
export type DisabledReason = 'owner' | 'endpoint-gone' | 'failing';

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
  status!: SubscriptionStatus | 'deleted';

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

  /** Null unless it is disabled. */
  @Column({ name: 'disabled_reason', type: 'text', nullable: true })
  disabledReason!: DisabledReason | null;

  /** Null unless it is disabled, and where it was disabled before this was written down. */
  @Column({ name: 'disabled_at', type: 'timestamptz', nullable: true })
  disabledAt!: Date | null;

  /** When it was last enabled after it had not been; failures of before don't count. Null: it always was. */
  @Column({ name: 'enabled_at', type: 'timestamptz', nullable: true })
  enabledAt!: Date | null;

  /** Since when it has missed what was given up, for a catch-up that nobody asked for yet. Null: nothing is known of. */
  @Column({ name: 'missed_since', type: 'timestamptz', nullable: true })
  missedSince!: Date | null;

  /** Grows with each catch-up: what waits in a lane from before it is superseded. */
  @Column({ type: 'integer', default: 0 })
  epoch!: number;

  /** Enabled, but with so much waiting that it takes nothing more from the log for now. */
  @Column({ name: 'held_back', type: 'boolean', default: false })
  heldBack!: boolean;

  /** The replay that catches up, of an ordered one; what is live waits until that is through. */
  @Column({ name: 'catching_up', type: 'text', nullable: true })
  catchingUp!: string | null;
}
