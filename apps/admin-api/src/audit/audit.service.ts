import type { AuditEntry, AuditTrail } from '@hookline/persistence';
import { tenantFor, type Caller } from '../auth/caller.js';
import { positionOf, toPage, type Page } from '../http/page.js';
import type { AuditView, ListAudit } from './audit.schemas.js';

/** Who has done what, as a tenant or the operator may see it. */
export class AuditService {
  constructor(private readonly trail: AuditTrail) {}

  async list(caller: Caller, query: ListAudit): Promise<Page<AuditView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const rows = await this.trail.list(tenantId, query.limit + 1, positionOf(query.cursor));
    return toPage(rows, query.limit, toView);
  }
}

function toView({ createdAt, action, ...entry }: AuditEntry): AuditView {
  return { ...entry, action: action as AuditView['action'], createdAt: createdAt.toISOString() };
}
