import { newId } from '@hookline/domain';
import { beginCatchUps, cancelCatchUps, type Subscription } from '@hookline/persistence';
import { ProblemError } from '@hookline/platform';
import type { EntityManager } from 'typeorm';
import { invalid } from '../http/problems.js';
import { millisOf } from '../topics/timestamp.js';
import { missedSince } from './missed.js';
import type { PatchSubscription } from './subscriptions.schemas.js';

/** A catch-up that comes with a change. */
export interface AskedCatchUp {
  replayId: string;
  /** Only what was appended since then, ms since the epoch. Absent: all that is held. */
  from?: number;
  /** Also what was given up since then, ms since the epoch; found out with the change. */
  missedSince?: number;
}

/**
 * @param now ms since the epoch
 * @throws ProblemError 400 for a time that has not come yet
 */
export function askedCatchUp(asked: PatchSubscription['catchUp'], now: number): AskedCatchUp | undefined {
  if (asked === undefined || asked === false) return undefined;
  const replayId = newId('rpl');
  if (asked === true) return { replayId };
  const from = millisOf(asked.from);
  if (from > now) throw invalid({ field: 'catchUp.from', message: 'is in the future', limit: now });
  return { replayId, from };
}

/**
 * Begins the catch-up, and ends those that make no sense any more: all of them where the subscription takes nothing
 * from now on, and a backlog's where everything is caught up. The row must be locked.
 * @param row the change so far; what it says of epoch and catch-ups is set here
 * @throws ProblemError 400 where it is not enabled, 409 where a catch-up of it is under way
 */
export async function catchUpOf(
  manager: EntityManager,
  old: Subscription,
  row: Subscription,
  asked: AskedCatchUp | undefined,
): Promise<void> {
  if (asked !== undefined && row.status !== 'enabled')
    throw invalid({ field: 'catchUp', message: `needs a subscription that is enabled; it is ${row.status}` });
  if (row.status !== 'enabled' || old.status !== 'enabled') row.catchingUp = null;
  if (row.status !== 'enabled') return cancelCatchUps(manager, [row.id]);
  if (asked === undefined && old.status === 'enabled') return;
  const missed = await missedSince(manager, old);
  row.missedSince = missed;
  if (asked === undefined) return;
  const underWay = old.status === 'enabled' ? await unfinished(manager, row.id) : undefined;
  if (underWay !== undefined)
    throw new ProblemError(409, 'catch-up-under-way', 'A catch-up of this subscription is under way', {
      detail: `Replay ${underWay} has not ended. Wait for it, or pause the subscription, which ends it.`,
    });
  await cancelCatchUps(manager, [row.id]);
  row.epoch = old.epoch + 1;
  row.heldBack = false;
  row.catchingUp = row.ordering === 'key' ? asked.replayId : null;
  const since = asked.from ?? missed?.getTime();
  if (since !== undefined) asked.missedSince = since;
  if (asked.from === undefined) row.missedSince = null;
  const { id: subscriptionId, tenantId, version } = row;
  await beginCatchUps(manager, { ...asked, kind: 'catch-up', subscriptionId, tenantId, version });
}

/** What lets a subscription go on that was held back does not count: the catch-up brings that as well. */
async function unfinished(manager: EntityManager, subscriptionId: string): Promise<string | undefined> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM replays WHERE subscription_id = $1 AND kind = 'catch-up' AND finished_at IS NULL LIMIT 1`,
    [subscriptionId],
  );
  return rows[0]?.id;
}
