import { isId, newId } from '@hookline/domain';
import { Tenant } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { EntityManager } from 'typeorm';
import type { Database } from '../database/database.js';
import { positionOf, toPage, type Page } from '../http/page.js';
import { notFound } from '../http/problems.js';
import type { CreateTenant, ListTenants, TenantView } from './tenants.schemas.js';

export class TenantsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async create({ name }: CreateTenant): Promise<TenantView> {
    const tenant = { id: newId('ten'), name, createdAt: new Date(this.clock.now()) };
    await this.database.run((manager) => manager.insert(Tenant, tenant));
    return toView(tenant);
  }

  async get(id: string): Promise<TenantView> {
    return toView(await this.database.run((manager) => findTenant(manager, id)));
  }

  async list({ cursor, limit }: ListTenants): Promise<Page<TenantView>> {
    const after = positionOf(cursor);
    const rows = await this.database.run((manager) => {
      const query = manager.createQueryBuilder(Tenant, 't').orderBy('t.createdAt').addOrderBy('t.id');
      if (after) query.where('(t.createdAt, t.id) > (:at, :id)', after);
      return query.limit(limit + 1).getMany();
    });
    return toPage(rows, limit, toView);
  }
}

/**
 * @param lock keeps others who lock it waiting until the transaction is over, so that counts of its things are exact
 * @throws ProblemError 404
 */
export async function findTenant(manager: EntityManager, id: string, lock = false): Promise<Tenant> {
  if (!isId('ten', id)) throw notFound('tenant');
  const tenant = await manager.findOne(Tenant, {
    where: { id },
    ...(lock ? { lock: { mode: 'for_no_key_update' as const } } : {}),
  });
  if (tenant === null) throw notFound('tenant');
  return tenant;
}

function toView({ id, name, createdAt }: Tenant): TenantView {
  return { id, name, createdAt: createdAt.toISOString() };
}
