import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Tenant } from './tenant.entity.js';

@Entity('api_keys')
@Index('api_keys_tenant_idx', ['tenantId'])
export class ApiKey {
  /** `key_…`: the key's public id. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'api_keys_pkey' })
  id!: string;

  @Column({ name: 'tenant_id', type: 'text' })
  @ForeignKey(() => Tenant, { name: 'api_keys_tenant_fkey' })
  tenantId!: string;

  /** SHA-256 of the whole key, in hex; the key itself is nowhere. */
  @Column({ type: 'text' })
  hash!: string;

  /** The start of the key, by which a person knows it again. */
  @Column({ type: 'text' })
  hint!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  status!: 'active' | 'revoked';

  /** Grows with each change. */
  @Column({ type: 'integer' })
  version!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt!: Date | null;
}
