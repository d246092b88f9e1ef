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
    limit: number,
    after: { at: Date; key: string } | undefined,
  ): Promise<DeadLetterRecord[]> {
    const rows = await this.database.query<RecordRow[]>(LIST, [
      ...parametersOf(filter),
      limit,
      after?.at ?? null,
      after?.key ?? null,
    ]);
    return rows.map(({ offset, ...row }) => ({ ...row, offset: Number(offset) }));
  }

  async counts(
    filter: DeadLetterRecordFilter,
  ): Promise<{ kind: DeadLetterRecord['kind']; reason: string; count: number }[]> {
    const rows = await this.database.query<{ kind: DeadLetterRecord['kind']; reason: string; count: string }[]>(
      `SELECT kind, reason, count(*) FROM dead_letter_records WHERE ${WANTED} GROUP BY 1, 2 ORDER BY 1, 2`,
      parametersOf(filter),
    );
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }
}

function parametersOf({ tenantId, kind, subscriptionId, from, to }: DeadLetterRecordFilter): unknown[] {
  return [tenantId, kind ?? null, subscriptionId ?? null, from ?? null, to ?? null];
}

type RecordRow = Omit<DeadLetterRecord, 'offset'> & { offset: string };

const WANTED = `($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR kind = $2)
   AND ($3::text IS NULL OR subscription_id = $3)
   AND ($4::timestamptz IS NULL OR appended_at >= $4) AND ($5::timestamptz IS NULL OR appended_at < $5)`;

const LIST = `
  SELECT key, kind, tenant_id AS "tenantId", subscription_id AS "subscriptionId", source, reason,
         appended_at AS "appendedAt", partition, "offset", said, redriven_at AS "redrivenAt"
    FROM dead_letter_records
   WHERE ${WANTED} AND ($7::timestamptz IS NULL OR (appended_at, key) < ($7, $8::text))
   ORDER BY appended_at DESC, key DESC LIMIT $6`;
