import { TOPICS, type CredentialRecord, type ExpungedRecord, type SubscriptionRecord } from '@hookline/contracts';
import { REPLAY_CHANNEL, type PendingSubscription, type Session } from '@hookline/persistence';
import { stampedVersion } from './earlier-versions.js';
import { moveSpans } from './held-spans.js';
import { putStamps } from './kept-stamps.js';

export interface OutboxRow {
  id: string;
  topic: string;
  key: string;
  payload: CredentialRecord | PendingSubscription | SubscriptionRecord | ExpungedRecord;
  created_at: Date;
}

/** A change of a subscription. */
export interface SubscriptionRow extends OutboxRow {
  payload: PendingSubscription | SubscriptionRecord;
}

/** A row whose version has its place in the log. */
export interface PlacedRow extends SubscriptionRow {
  payload: SubscriptionRecord;
}

/**
 * The oldest rows. Within a key their order is that of the versions, for a key's row is locked while its row of the
 * outbox is made.
 */
export function oldestRows(session: Session, limit: number): Promise<OutboxRow[]> {
  return session.query<OutboxRow & Record<string, unknown>>(
    'SELECT id, topic, key, payload, created_at FROM outbox ORDER BY outbox.id LIMIT $1',
    [limit],
  );
}

const KEEP = `
  UPDATE outbox o SET payload = r->'payload' FROM jsonb_array_elements($1::jsonb) AS r
   WHERE o.id = (r->>'id')::bigint`;

/** A catch-up ends where the version holds from that began it. Where it was cancelled before, that is superseded all the same. */
const PLACE_CATCH_UPS = `
  UPDATE replays c SET version = (r->'payload'->>'version')::integer, to_offsets = r->'payload'->'holdsFrom'
    FROM jsonb_array_elements($1::jsonb) AS r
   WHERE c.subscription_id = r->>'key' AND c.spec->'version' = r->'payload'->'version'
     AND c.kind <> 'replay' AND c.to_offsets IS NULL
  RETURNING c.id`;

/**
 * Keeps the stamps before they are published, and what follows from them, all in one transaction: a repeat after a
 * crash says the same as the first time, and what is held since then or until then is written down once. When it
 * fails the session is of no more use.
 */
export async function keepStamps(session: Session, rows: readonly PlacedRow[]): Promise<void> {
  const kept = JSON.stringify(rows.map(({ id, key, payload }) => ({ id, key, payload })));
  await session.query('BEGIN');
  await session.query(KEEP, [kept]);
  await putStamps(
    session,
    rows.map(({ key: id, payload }) => ({ id, stamped: stampedVersion(payload) })),
  );
  await moveSpans(
    session,
    rows.map(({ payload, created_at: since }) => ({ payload, since })),
  );
  const placed = await session.query(PLACE_CATCH_UPS, [kept]);
  if (placed.length > 0) await session.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
  await session.query('COMMIT');
}

/** What was acknowledged. Who waits for versions of subscriptions to be in the topic is called. */
export async function deleteRows(session: Session, rows: readonly OutboxRow[]): Promise<void> {
  await session.query('DELETE FROM outbox WHERE id = ANY($1)', [rows.map((row) => row.id)]);
  if (rows.some(({ topic }) => topic === TOPICS.subscriptions))
    await session.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
}

/** Of these keys those with a change that is still on its way. */
export async function keysWaiting(session: Session, topic: string, keys: readonly string[]): Promise<Set<string>> {
  const rows = await session.query<{ key: string }>(
    'SELECT DISTINCT key FROM outbox WHERE topic = $1 AND key = ANY($2)',
    [topic, keys],
  );
  return new Set(rows.map(({ key }) => key));
}
