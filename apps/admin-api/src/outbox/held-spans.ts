import { isLive } from '@hookline/domain';
import type { SubscriptionRecord } from '@hookline/contracts';
import type { Session } from '@hookline/persistence';

/** A version that was just stamped. */
export interface StampedRow {
  /** When it was changed. */
  since: Date;
  payload: SubscriptionRecord;
}

interface Opening {
  id: string;
  version: number;
  status: SubscriptionRecord['status'];
  since: Date;
  from: Record<string, number>;
}

interface Closing {
  span: string;
  to: Record<string, number>;
}

const STILL_OPEN = `
  SELECT id, subscription_id FROM held_spans
   WHERE subscription_id = ANY($1) AND to_offsets IS NULL AND ended_at IS NULL`;

/** By subscription, in the order in which others lock them. */
const OPEN = `
  INSERT INTO held_spans (subscription_id, tenant_id, version, reason, since, from_offsets)
  SELECT s.id, s.tenant_id, (o->>'version')::integer,
         CASE o->>'status' WHEN 'paused' THEN 'paused' WHEN 'enabled' THEN 'backlog'
              ELSE coalesce(s.disabled_reason, 'owner') END,
         (o->>'since')::timestamptz, o->'from'
    FROM jsonb_array_elements($1::jsonb) AS o JOIN subscriptions s ON s.id = o->>'id'
   ORDER BY s.id
  ON CONFLICT (subscription_id, version) DO NOTHING`;

const CLOSE = `
  UPDATE held_spans h SET to_offsets = c->'to' FROM jsonb_array_elements($1::jsonb) AS c
   WHERE h.id = (c->>'span')::bigint`;

/**
 * Opens a span where a subscription takes no more from the log, and closes it where it does again, or is deleted. It
 * goes by what is open and not by what changed, so that it may be done twice. In the transaction that keeps the stamps.
 * @param rows in the order of the outbox
 */
export async function moveSpans(session: Session, rows: readonly StampedRow[]): Promise<void> {
  const keys = [...new Set(rows.map(({ payload }) => payload.id))];
  const spans = await session.query<{ id: string; subscription_id: string }>(STILL_OPEN, [keys]);
  const open = new Map<string, string>(spans.map(({ id, subscription_id: key }) => [key, id]));
  const opening = new Map<string, Opening>();
  const closing: Closing[] = [];
  for (const { payload, since } of rows) {
    const { id, version, status, holdsFrom } = payload;
    const span = open.get(id);
    if (isLive(payload) || status === 'deleted') {
      // One that was opened just now is empty: all of these hold from the same offsets.
      opening.delete(id);
      open.delete(id);
      if (span !== undefined) closing.push({ span, to: holdsFrom });
    } else if (span === undefined && !opening.has(id)) opening.set(id, { id, version, status, since, from: holdsFrom });
  }
  if (opening.size > 0) await session.query(OPEN, [JSON.stringify([...opening.values()])]);
  if (closing.length > 0) await session.query(CLOSE, [JSON.stringify(closing)]);
}
