import { TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import {
  beginCatchUps,
  cancelCatchUps,
  enqueue,
  PUBLISHED_COLUMNS,
  toSubscriptionRecord,
  type Subscription,
  type Session,
} from '@hookline/persistence';
import { inTransaction } from '../keepers/keepers.js';
import type { Undone } from './undone.js';

/**
 * Has a subscription brought what was lost in its lane: it is held, from its first event on, and a catch-up begins, which sends
 * what history has neither as delivered nor as dead-lettered. One that is paused or disabled gets it when it is enabled.
 * @param undone of this subscription, what the log still has
 * @param foundAt when it was found that something was lost, ms since the epoch. A catch-up that was there before may wait for
 *   ever for what it had in that lane: it is cancelled as any other, and the new one brings that, too
 * @param ends of `hookline.events`, for the partitions where nothing is undone
 * @returns false where a catch-up of it is under way, or a change of it is not published yet: it is asked again after that
 */
export function bringBack(
  session: Session,
  subscriptionId: string,
  undone: readonly Undone[],
  foundAt: number,
  ends: Readonly<Record<string, number>>,
): Promise<boolean> {
  return inTransaction(session, async () => {
    const [row] = await session.query<LockedRow>(LOCK, [subscriptionId, new Date(foundAt)]);
    if (row === undefined || row.status === 'deleted') return true;
    if (row.under_way) return false;
    const from = { ...ends, ...Object.fromEntries(undone.map(({ partition, first }) => [partition, first])) };
    const to = { ...ends, ...Object.fromEntries(undone.map(({ partition, last }) => [partition, last + 1])) };
    const since = new Date(Math.min(...undone.map(({ firstAt }) => firstAt)));
    await session.query(HOLD, [subscriptionId, since, JSON.stringify(from), JSON.stringify(to)]);
    if (row.status === 'enabled') await catchUp(session, subscriptionId);
    return true;
  });
}

interface LockedRow extends Record<string, unknown> {
  status: Subscription['status'];
  under_way: boolean;
}

async function catchUp(session: Session, subscriptionId: string): Promise<void> {
  const replayId = newId('rpl');
  await cancelCatchUps(session, [subscriptionId]);
  const [row] = await session.query<Subscription & Record<string, unknown>>(NEXT_EPOCH, [subscriptionId, replayId]);
  if (row === undefined) return;
  await enqueue(session, TOPICS.subscriptions, toSubscriptionRecord(row));
  const { tenantId, version } = row;
  await beginCatchUps(session, { replayId, kind: 'catch-up', subscriptionId, tenantId, version });
}

const LOCK = `
  SELECT s.status, EXISTS (
           SELECT FROM replays r WHERE r.subscription_id = s.id AND r.kind = 'catch-up' AND r.finished_at IS NULL
              AND r.created_at > $2
         ) OR EXISTS (
           SELECT FROM outbox o WHERE o.topic = '${TOPICS.subscriptions}' AND o.key = s.id
         ) AS under_way
    FROM subscriptions s WHERE s.id = $1 FOR UPDATE`;

/** One that takes nothing now has a span of this version, for that one was published: it is widened. */
const HOLD = `
  INSERT INTO held_spans AS h (subscription_id, tenant_id, version, reason, since, from_offsets, to_offsets)
  SELECT id, tenant_id, version, 'aged-out', $2, $3, $4 FROM subscriptions WHERE id = $1
  ON CONFLICT (subscription_id, version) DO UPDATE SET from_offsets = (
    SELECT jsonb_object_agg(p, least((h.from_offsets->>p)::bigint, (excluded.from_offsets->>p)::bigint))
      FROM jsonb_object_keys(h.from_offsets || excluded.from_offsets) AS p),
    to_offsets = CASE WHEN h.to_offsets IS NULL THEN NULL ELSE (
      SELECT jsonb_object_agg(p, greatest((h.to_offsets->>p)::bigint, (excluded.to_offsets->>p)::bigint))
        FROM jsonb_object_keys(h.to_offsets || excluded.to_offsets) AS p) END`;

const NEXT_EPOCH = `
  UPDATE subscriptions s SET version = s.version + 1, epoch = s.epoch + 1, held_back = false,
         catching_up = CASE s.ordering WHEN 'key' THEN $2 END, updated_at = greatest(s.updated_at, now())
   WHERE s.id = $1
  RETURNING ${PUBLISHED_COLUMNS}`;
