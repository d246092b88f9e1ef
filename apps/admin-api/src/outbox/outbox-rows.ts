import type { PendingRecord } from '@hookline/persistence';
import type { Session } from '../database/session.js';

export interface OutboxRow {
  id: string;
  topic: string;
  key: string;
  payload: PendingRecord & { holdsFrom?: Record<string, number> };
}

/**
 * The oldest rows. Within a key their order is that of the versions, for a key's row is locked while its row of the
 * outbox is made.
 */
export function oldestRows(session: Session, limit: number): Promise<OutboxRow[]> {
  return session.query<OutboxRow & Record<string, unknown>>(
    'SELECT id, topic, key, payload FROM outbox ORDER BY outbox.id LIMIT $1',
    [limit],
  );
}

/** Kept before it is published: a repeat after a crash then says the same as the first time. */
export async function keepPositions(
  session: Session,
  rows: readonly OutboxRow[],
  holdsFrom: Record<string, number>,
): Promise<void> {
  if (rows.length === 0) return;
  await session.query(
    `UPDATE outbox SET payload = payload || jsonb_build_object('holdsFrom', $2::jsonb) WHERE id = ANY($1)`,
    [rows.map((row) => row.id), JSON.stringify(holdsFrom)],
  );
  for (const row of rows) row.payload.holdsFrom = holdsFrom;
}

export async function deleteRows(session: Session, rows: readonly OutboxRow[]): Promise<void> {
  await session.query('DELETE FROM outbox WHERE id = ANY($1)', [rows.map((row) => row.id)]);
}
