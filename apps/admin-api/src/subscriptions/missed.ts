import type { Subscription } from '@hookline/persistence';
import type { EntityManager } from 'typeorm';

/**
 * Since when a subscription has missed what was given up: since the first failure after its last success, or since its
 * endpoint was gone. What an earlier enabling has left behind, or a catch-up that was ended before it was through, counts as well.
 * @param row as it stands before it is changed
 * @returns null where nothing is known to be missed
 */
export async function missedSince(manager: EntityManager, row: Subscription): Promise<Date | null> {
  const gone = row.disabledReason === 'endpoint-gone' ? row.disabledAt : null;
  const [found] = await manager.query<{ since: Date | null }[]>(MISSED_SINCE, [
    row.id,
    row.enabledAt,
    row.missedSince,
    gone,
  ]);
  return found?.since ?? null;
}

/** $2: when it was last enabled; failures of before were its business then. */
const MISSED_SINCE = `
  SELECT least(
    $3::timestamptz,
    $4::timestamptz,
    (SELECT h.failing_since FROM subscription_health h
      WHERE h.subscription_id = $1 AND h.failing_since > coalesce($2::timestamptz, '-infinity')),
    (SELECT min(to_timestamp((r.spec->>'missedSince')::float8 / 1000)) FROM replays r
      WHERE r.subscription_id = $1 AND r.kind = 'catch-up' AND r.status IN ('cancelled', 'failed') AND r.created_at > coalesce(
        (SELECT max(done.created_at) FROM replays done
          WHERE done.subscription_id = $1 AND done.kind = 'catch-up' AND done.status = 'completed'), '-infinity'))
  ) AS since`;
