import type { Queryable } from '../migrate.js';

/** A record of `hookline.dead-letters` that is no single delivery. */
export interface DeadLetterRecord {
  /** What it is about: one that was written twice has the same. */
  key: string;
  kind: 'range' | 'source' | 'record';
  /** Null where nobody knows. */
  tenantId: string | null;
  subscriptionId: string | null;
  source: string | null;
  reason: string;
  appendedAt: Date;
  /** Of `hookline.dead-letters`. */
  partition: number;
  offset: number;
  /** The bounds of a range, or where the record stood and why it can't be read. */
  said: Record<string, unknown>;
  redrivenAt: Date | null;
}

/** As the topic says it; what became of it here stands beside it. */
export interface ListedRecord extends DeadLetterRecord {
  discarded: { at: Date; by: string; auditId: string } | null;
}

export interface DeadLetterRecordFilter {
  /** Null: of every tenant, and of none. */
  tenantId: string | null;
  kind?: DeadLetterRecord['kind'];
  subscriptionId?: string;
  /** By their own append time; `to` is exclusive. */
  from?: Date;
  to?: Date;
}

/** Ranges that were held and are gone, and records that can't be read, as far as the topic was read. */
export class DeadLetterRecords {
  constructor(private readonly database: Queryable) {}

  /** Newest first. @param after the last one of the page before */
  async list(
    filter: DeadLetterRecordFilter,
    discarded: boolean,
    limit: number,
    after: { at: Date; key: string } | undefined,
  ): Promise<ListedRecord[]> {
    const rows = await this.database.query<RecordRow[]>(LIST, [
      ...parametersOf(filter),
      limit,
      after?.at ?? null,
      after?.key ?? null,
      discarded,
    ]);
    return rows.map(({ offset, auditId, discardedAt: at, discardedBy: by, ...row }) => ({
      ...row,
      offset: Number(offset),
      discarded: auditId === null || at === null || by === null ? null : { at, by, auditId },
    }));
  }

  /**
   * Of one tenant, the oldest first; in the transaction of the entry that counts them.
   * @returns how many were discarded
   */
  async discard(filter: DeadLetterRecordFilter, auditId: string, limit: number): Promise<number> {
    const [row] = await this.database.query<{ count: string }[]>(DISCARD, [...parametersOf(filter), auditId, limit]);
    return Number(row?.count ?? 0);
  }

  /** Those that nobody has discarded. */
  async counts(
    filter: DeadLetterRecordFilter,
  ): Promise<{ kind: DeadLetterRecord['kind']; reason: string; count: number }[]> {
    const rows = await this.database.query<{ kind: DeadLetterRecord['kind']; reason: string; count: string }[]>(
      `SELECT kind, reason, count(*) FROM dead_letter_records r WHERE ${WANTED} AND audit_id IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
      parametersOf(filter),
    );
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }
}

function parametersOf({ tenantId, kind, subscriptionId, from, to }: DeadLetterRecordFilter): unknown[] {
  return [tenantId, kind ?? null, subscriptionId ?? null, from ?? null, to ?? null];
}

type RecordRow = Omit<DeadLetterRecord, 'offset'> & {
  offset: string;
  auditId: string | null;
  discardedAt: Date | null;
  discardedBy: string | null;
};

/** Of a table `dead_letter_records r`. */
const WANTED = `($1::text IS NULL OR r.tenant_id = $1) AND ($2::text IS NULL OR r.kind = $2)
   AND ($3::text IS NULL OR r.subscription_id = $3)
   AND ($4::timestamptz IS NULL OR r.appended_at >= $4) AND ($5::timestamptz IS NULL OR r.appended_at < $5)`;

const DISCARD = `
  WITH discarded AS (
    UPDATE dead_letter_records SET audit_id = $6
     WHERE key IN (
       SELECT r.key FROM dead_letter_records r WHERE ${WANTED} AND r.audit_id IS NULL
        ORDER BY r.appended_at, r.key LIMIT $7 FOR UPDATE)
    RETURNING 1
  ) SELECT count(*) FROM discarded`;

const LIST = `
  SELECT r.key, r.kind, r.tenant_id AS "tenantId", r.subscription_id AS "subscriptionId", r.source, r.reason,
         r.appended_at AS "appendedAt", r.partition, r."offset", r.said, r.redriven_at AS "redrivenAt",
         r.audit_id AS "auditId", a.created_at AS "discardedAt", a.actor AS "discardedBy"
    FROM dead_letter_records r LEFT JOIN audit_entries a ON a.id = r.audit_id
   WHERE ${WANTED} AND (r.audit_id IS NOT NULL) = $9::boolean
     AND ($7::timestamptz IS NULL OR (r.appended_at, r.key) < ($7, $8::text))
   ORDER BY r.appended_at DESC, r.key DESC LIMIT $6`;
