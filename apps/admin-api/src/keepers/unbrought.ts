import type { Session } from '@hookline/persistence';
import type { Output } from '@hookline/kafka';
import { toWaiting, WAITING_COLUMNS, type WaitingDelivery, type WaitingRow } from './held-deliveries.js';
import { holdOf } from './letters.js';
import { writeAll } from './write-all.js';

/** Catch-ups that one look goes through. */
const CATCH_UPS = 50;
/** Deliveries that are looked at together. */
const PAGE = 1_000;

/**
 * Holds what catch-ups have superseded and not brought: their owners end it without a word, for the catch-up brings it. One
 * that was cancelled or has failed doesn't; nor does any bring what the log let go of before it was read. As the spans of
 * such a catch-up are, so are these deliveries: held, until the next catch-up brings them, or they get their dead letter.
 * Each catch-up is looked through once, a while after it has ended, when nobody tells anything of the epoch before it any
 * more; one that a later one has taken the place of needs no look.
 * @returns how many were held; history knows of that a moment later
 */
export async function holdUnbrought(session: Session, output: Output, signal: AbortSignal): Promise<number> {
  await session.query(PASS);
  let held = 0;
  for (const { id } of await session.query<{ id: string }>(DUE, [CATCH_UPS])) {
    for (let after: WaitingDelivery | undefined; ;) {
      const page = (await session.query<WaitingRow>(UNBROUGHT, [id, ...placeOf(after), PAGE])).map(toWaiting);
      const holds = page.map((each) => holdOf(each, each.subscriptionId, 'catch-up-ended'));
      await writeAll(output, holds, signal);
      held += page.length;
      after = page.at(-1);
      if (page.length < PAGE) break;
    }
    await session.query('UPDATE replays SET looked_through_at = now() WHERE id = $1', [id]);
  }
  return held;
}

function placeOf(after: WaitingDelivery | undefined): [partition: number, offset: number] {
  return after === undefined ? [-1, 0] : [after.position.partition, after.position.offset];
}

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
  SELECT r.id FROM replays r JOIN subscriptions s ON s.id = r.subscription_id
   WHERE r.kind = 'catch-up' AND r.looked_through_at IS NULL AND r.to_offsets IS NOT NULL
     AND r.told_at < now() - interval '5 minutes'
     AND r.finished_at < now() - CASE s.status WHEN 'deleted' THEN interval '1 day' ELSE interval '5 minutes' END
   ORDER BY r.finished_at LIMIT $1`;

/**
 * $1: the catch-up. Of the epoch before it, where it would have read: not what it has handed over, nor what another replay
 * has asked for, which is never superseded.
 */
const UNBROUGHT = `
  SELECT ${WAITING_COLUMNS} FROM replays r JOIN deliveries d ON d.subscription_id = r.subscription_id
   WHERE r.id = $1 AND d.state <> 'delivered' AND d.state IN ('pending', 'retrying')
     AND d.replay_id IS DISTINCT FROM r.id AND d.updated_at < r.told_at + interval '5 minutes'
     AND d.event_offset < coalesce((r.to_offsets->>(d.event_partition::text))::bigint, 0)
     AND (r.status <> 'completed'
            AND d.event_offset >= coalesce((r.partitions->(d.event_partition::text)->>'next')::bigint, 0)
          OR EXISTS (
            SELECT FROM jsonb_to_recordset(coalesce(r.result->'gone', '[]')) AS g(partition integer, "from" bigint, "to" bigint)
             WHERE g.partition = d.event_partition AND d.event_offset >= g."from" AND d.event_offset < g."to"))
     AND NOT EXISTS (SELECT FROM replays own WHERE own.id = d.replay_id COLLATE "default" AND own.kind = 'replay')
     AND (d.event_partition, d.event_offset) > ($2::integer, $3::bigint)
   ORDER BY d.event_partition, d.event_offset LIMIT $4`;
