import type { Session } from '@hookline/persistence';
import type { HeldVersion } from './held-version.js';

/** What is left to read of one partition; `to` is exclusive. */
export interface SliceRange {
  next: number;
  to: number;
}

/** The part of the log that late learners may have read without a version. */
export interface Slice {
  subscriptionId: string;
  version: number;
  tenantId: string;
  versions: HeldVersion[];
  /** ms since the epoch. */
  endsAt: number;
  /** By partition; null until its end is known. */
  partitions: Record<string, SliceRange> | null;
}

/** Slices on the session of the one process that reads them. */
export class Slices {
  constructor(private readonly session: Session) {}

  /** Those that every worker knows the version of by now, the oldest first; the ones of deleted subscriptions are dropped. */
  async due(limit: number): Promise<(Slice & { epoch: number })[]> {
    await this.session.query(
      `DELETE FROM late_slices s WHERE s.due_at <= now() AND NOT EXISTS (
         SELECT FROM subscriptions o WHERE o.id = s.subscription_id AND o.status <> 'deleted')`,
    );
    const rows = await this.session.query<Slice & { epoch: number; ends: Date } & Record<string, unknown>>(
      `SELECT s.subscription_id AS "subscriptionId", s.version, s.tenant_id AS "tenantId", s.versions, s.ends_at AS ends,
              s.partitions, o.epoch
         FROM late_slices s JOIN subscriptions o ON o.id = s.subscription_id
        WHERE s.due_at <= now() ORDER BY s.due_at, s.subscription_id LIMIT $1`,
      [limit],
    );
    return rows.map(({ ends, ...slice }) => ({ ...slice, endsAt: ends.getTime() }));
  }

  /**
   * Keeps how far they have come; those that are read are gone.
   * @param againMs when the others are looked at again
   */
  async save(slices: readonly Slice[], againMs: number): Promise<void> {
    if (slices.length === 0) return;
    const rows = slices.map(({ subscriptionId, version, partitions }) => ({ subscriptionId, version, partitions }));
    await this.session.query(SAVE, [JSON.stringify(rows), againMs]);
  }
}

export function isRead({ partitions }: Slice): boolean {
  return partitions !== null && Object.values(partitions).every(({ next, to }) => next >= to);
}

const SAVE = `
  WITH moved AS (
    SELECT v->>'subscriptionId' AS id, (v->>'version')::integer AS version, v->'partitions' AS partitions,
           NOT EXISTS (SELECT FROM jsonb_each(v->'partitions') AS p
                        WHERE (p.value->>'next')::bigint < (p.value->>'to')::bigint) AS through
      FROM jsonb_array_elements($1::jsonb) AS v),
  gone AS (
    DELETE FROM late_slices s USING moved m
     WHERE m.through AND s.subscription_id = m.id AND s.version = m.version)
  UPDATE late_slices s
     SET partitions = m.partitions, due_at = now() + $2::double precision * interval '1 ms'
    FROM moved m WHERE NOT m.through AND s.subscription_id = m.id AND s.version = m.version`;
