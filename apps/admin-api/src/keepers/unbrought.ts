import type { Session } from '@hookline/persistence';
import type { Output } from '@hookline/kafka';
import { toWaiting, WAITING_COLUMNS, type WaitingRow } from './held-deliveries.js';
import { holdOf } from './letters.js';
import { writeAll } from './write-all.js';

/** Catch-ups that one look goes through. */
const CATCH_UPS = 50;
/** Deliveries that are looked at together. */
const PAGE = 1_000;
/** How long after it was due it is known of what waited in a tier that its owner has ended it without a word, ms. */
const DUE_MS = 300_000;

/**
 * Holds what catch-ups have superseded and not brought: their owners end it without a word, for the catch-up brings it. One
 * that was cancelled or has failed doesn't; nor does any bring what the log let go of before it was read. As the spans of
 * such a catch-up are, so are these deliveries: held, until the next catch-up brings them, or they get their dead letter.
 * Each catch-up is looked through a while after it has ended, when nobody tells anything of the epoch before it any more;
 * one that a later one has taken the place of needs no look.
 *
 * History does not know the epoch of what waits. A tier may have a delivery of the new one, which had to wait for the first
 * time when its worker knew that epoch already: it is tried when it is due, and what comes of that is told. So what waits
 * is looked at again when it was due; where nothing was told of it then, it was superseded.
 * @returns how many were held; history knows of that a moment later
 */
export async function holdUnbrought(session: Session, output: Output, signal: AbortSignal): Promise<number> {
  await session.query(PASS);
  let held = 0;
  for (const { id, now } of await session.query<DueRow>(DUE, [CATCH_UPS])) {
    const overdue = now.getTime() - DUE_MS;
    let next = Infinity;
    for (let after: Place = FIRST; ;) {
      const page = await session.query<UnbroughtRow>(UNBROUGHT, [id, ...after, PAGE]);
      const unbrought = page.filter((row) => row.is_unbrought);
      const waiting = unbrought.map(dueAt).filter((at) => at > overdue);
      const over = unbrought.filter((row) => dueAt(row) <= overdue).map(toWaiting);
      const holds = over.map((each) => holdOf(each, each.subscriptionId, 'catch-up-ended'));
      await writeAll(output, holds, signal);
      held += over.length;
      next = waiting.reduce((least, at) => Math.min(least, at), next);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = [last.event_at, last.delivery_id];
    }
    await session.query(LOOKED, [id, next === Infinity ? null : new Date(next + DUE_MS)]);
  }
  return held;
}

interface DueRow extends Record<string, unknown> {
  id: string;
  now: Date;
}

interface UnbroughtRow extends WaitingRow {
  delivery_id: string;
  next_attempt_at: Date | null;
  is_unbrought: boolean;
}

/** Of a delivery, in the order of the pages. */
type Place = readonly [at: Date | string, deliveryId: string];

const FIRST: Place = ['-infinity', '00000000-0000-0000-0000-000000000000'];

/** When a delivery that waits in a tier is due, ms since the epoch; -Infinity for one that waits in none. */
function dueAt({ next_attempt_at: at }: UnbroughtRow): number {
  return at?.getTime() ?? -Infinity;
}

/** $2: when to look again; null where it is through. */
const LOOKED = `
  UPDATE replays SET resume_at = $2, looked_through_at = CASE WHEN $2::timestamptz IS NULL THEN now() END WHERE id = $1`;

/** Those that have brought all of it, and those that are not the last word on their subscription. */
const PASS = `
  UPDATE replays r SET looked_through_at = now()
   WHERE r.kind = 'catch-up' AND r.looked_through_at IS NULL AND r.finished_at IS NOT NULL
     AND (r.status = 'completed' AND coalesce(jsonb_array_length(r.result->'gone'), 0) = 0
          OR EXISTS (SELECT FROM replays later
                      WHERE later.subscription_id = r.subscription_id AND later.kind = 'catch-up'
                        AND later.version > r.version))`;

/**
 * What was under way when it was cancelled is saved a moment later, and what was in flight when the last worker heard of it
 * is told by then. The lanes of a subscription that was deleted have letters for what they still had of it; what is left
 * after a day they had not.
 */
const DUE = `
  SELECT r.id, now() AS now FROM replays r JOIN subscriptions s ON s.id = r.subscription_id
   WHERE r.kind = 'catch-up' AND r.looked_through_at IS NULL AND r.to_offsets IS NOT NULL
     AND r.told_at < now() - interval '5 minutes' AND (r.resume_at IS NULL OR r.resume_at <= now())
     AND r.finished_at < now() - CASE s.status WHEN 'deleted' THEN interval '1 day' ELSE interval '5 minutes' END
   ORDER BY r.finished_at LIMIT $1`;

/**
 * $1: the catch-up. Those are of the epoch before it, where it would have read: not what it has handed over, nor what another
 * replay has asked for, which is never superseded. The page is taken first, by the index of what is undelivered, from $2 and
 * $3 (exclusive) on: no more is read for it than its rows, whichever of them are wanted.
 */
export const UNBROUGHT = `
  SELECT ${WAITING_COLUMNS}, d.delivery_id, d.next_attempt_at,
         d.state IN ('pending', 'retrying')
           AND d.replay_id IS DISTINCT FROM r.id AND d.updated_at < r.told_at + interval '5 minutes'
           AND d.event_offset < coalesce((r.to_offsets->>(d.event_partition::text))::bigint, 0)
           AND (r.status <> 'completed'
                  AND d.event_offset >= coalesce((r.partitions->(d.event_partition::text)->>'next')::bigint, 0)
                OR EXISTS (
                  SELECT FROM jsonb_to_recordset(coalesce(r.result->'gone', '[]')) AS g(partition integer, "from" bigint, "to" bigint)
                   WHERE g.partition = d.event_partition AND d.event_offset >= g."from" AND d.event_offset < g."to"))
           AND NOT EXISTS (SELECT FROM replays own WHERE own.id = d.replay_id COLLATE "default" AND own.kind = 'replay')
           AS is_unbrought
    FROM replays r CROSS JOIN LATERAL (
      SELECT * FROM deliveries d
       WHERE d.subscription_id = r.subscription_id AND d.state <> 'delivered'
         AND d.event_at >= $2::timestamptz AND (d.event_at, d.delivery_id) > ($2::timestamptz, $3::uuid)
       ORDER BY d.event_at, d.delivery_id LIMIT $4) d
   WHERE r.id = $1 ORDER BY d.event_at, d.delivery_id`;
