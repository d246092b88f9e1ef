import { TOPICS, type CredentialRecord } from '@hookline/contracts';
import { isId, makeApiKey } from '@hookline/domain';
import { ApiKey, enqueue } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { positionOf, toPage, type Page } from '../http/page.js';
import { limitReached, notFound } from '../http/problems.js';
import { findTenant } from '../tenants/tenants.service.js';
import type { CreateKey, KeyView, ListKeys, NewKeyView } from './keys.schemas.js';

/** Characters of a key that may be shown later on: they are its public id, not its secret. */
const HINT_LENGTH = 11;

export class KeysService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly maxKeys: number,
  ) {}

  async create(caller: Caller, tenantId: string, { name }: CreateKey): Promise<NewKeyView> {
    const tenant = tenantFor(caller, tenantId);
    const { id, key, hash } = makeApiKey();
    const createdAt = new Date(this.clock.now());
    const row: ApiKey = {
      id,
      tenantId: tenant,
      hash,
      hint: key.slice(0, HINT_LENGTH),
      name,
      status: 'active',
      version: 1,
      createdAt,
      revokedAt: null,
    };
    await this.database.transaction(async (manager) => {
      await findTenant(manager, tenant, true);
      if ((await manager.countBy(ApiKey, { tenantId: tenant, status: 'active' })) >= this.maxKeys)
        throw limitReached('active keys', this.maxKeys);
      await manager.insert(ApiKey, row);
      await enqueue(manager, TOPICS.credentials, toRecord(row));
    });
    return { ...toView(row), key };
  }

  async list(caller: Caller, tenantId: string, { cursor, limit }: ListKeys): Promise<Page<KeyView>> {
    const tenant = tenantFor(caller, tenantId);
    const after = positionOf(cursor);
    const rows = await this.database.run(async (manager) => {
      await findTenant(manager, tenant);
      const query = manager.createQueryBuilder(ApiKey, 'k').where('k.tenantId = :tenant', { tenant });
      if (after) query.andWhere('(k.createdAt, k.id) > (:at, :id)', after);
      return query
        .orderBy('k.createdAt')
        .addOrderBy('k.id')
        .limit(limit + 1)
        .getMany();
    });
    return toPage(rows, limit, toView);
  }

  async get(caller: Caller, tenantId: string, id: string): Promise<KeyView> {
    const tenant = tenantFor(caller, tenantId);
    if (!isId('key', id)) throw notFound('key');
    const row = await this.database.run((manager) => manager.findOneBy(ApiKey, { id, tenantId: tenant }));
    if (row === null) throw notFound('key');
    return toView(row);
  }

  /** Doing it twice is doing it once. */
  async revoke(caller: Caller, tenantId: string, id: string): Promise<void> {
    const tenant = tenantFor(caller, tenantId);
    if (!isId('key', id)) throw notFound('key');
    await this.database.transaction(async (manager) => {
      const row = await manager.findOne(ApiKey, {
        where: { id, tenantId: tenant },
        lock: { mode: 'pessimistic_write' },
      });
      if (row === null) throw notFound('key');
      if (row.status === 'revoked') return;
      const revoked: ApiKey = {
        ...row,
        status: 'revoked',
        version: row.version + 1,
        revokedAt: new Date(this.clock.now()),
      };
      await manager.update(ApiKey, { id }, revoked);
      await enqueue(manager, TOPICS.credentials, toRecord(revoked));
    });
  }
}

/** A key as ingest knows it. */
export function toRecord({ id, tenantId, hash, status, version }: ApiKey): CredentialRecord {
  return { v: 1, version, id, tenant: tenantId, hash, status };
}

function toView(row: ApiKey): KeyView {
  return {
    id: row.id,
    tenantId: row.tenantId,
    name: row.name,
    hint: row.hint,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
