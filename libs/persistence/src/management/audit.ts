import type { Queryable } from '../migrate.js';

/** What somebody did to many things at once. */
export interface AuditEntry {
  /** `aud_…` */
  id: string;
  tenantId: string;
  createdAt: Date;
  /** `operator`, or the id of an API key. */
  actor: string;
  action: string;
  /** What was asked for. */
  request: Record<string, unknown>;
  /** How many things it changed. */
  affected: number;
  note: string | null;
  replayId: string | null;
}

/** Who did what; entries are never changed but for their count, and that only by who adds to what it counts. */
export class AuditTrail {
  constructor(private readonly database: Queryable) {}

  async begin(entry: Omit<AuditEntry, 'affected'>): Promise<void> {
    const { id, tenantId, createdAt, actor, action, request, note, replayId } = entry;
    await this.database.query(
      `INSERT INTO audit_entries (id, tenant_id, created_at, actor, action, request, affected, note, replay_id)
       VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)`,
      [id, tenantId, createdAt, actor, action, JSON.stringify(request), note, replayId],
    );
  }

  /** In the transaction of the changes that it counts. */
  async add(id: string, affected: number): Promise<void> {
    await this.database.query('UPDATE audit_entries SET affected = affected + $2 WHERE id = $1', [id, affected]);
  }

  /** Newest first. @param after the last one of the page before */
  list(tenantId: string, limit: number, after: { at: Date; id: string } | undefined): Promise<AuditEntry[]> {
    return this.database.query<AuditEntry[]>(
      `SELECT id, tenant_id AS "tenantId", created_at AS "createdAt", actor, action, request, affected, note,
              replay_id AS "replayId"
         FROM audit_entries WHERE tenant_id = $1 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::text))
        ORDER BY created_at DESC, id DESC LIMIT $2`,
      [tenantId, limit, after?.at ?? null, after?.id ?? null],
    );
  }
}
