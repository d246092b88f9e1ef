import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { buryAll, endOf, heldRangeLetter } from '../keepers/letters.js';
import type { Undone } from './undone.js';

/** Deliveries that are looked at together; a range of dead letters is no longer than that. */
const PAGE = 1_000;

/** One delivery of a subscription, or what a wide hand-over had for it. */
interface Row {
  position: LogPosition;
  tenant: string;
  event: Pick<EventEnvelope, 'tenant' | 'id' | 'type'>;
  replayId: string | null;
  isLost: boolean;
}

interface Run {
  from: number;
  to: number;
  since: Date;
}

/**
 * Ends what can't be brought again, for neither its lane nor the log of the events has it: a dead letter for each range in
 * which the subscription got nothing else, and then the end of each delivery, for history. After a crash what has no end yet
 * gets another letter.
 * @param gone of one subscription and partition
 * @param until as it was asked with, ms since the epoch
 */
export async function buryLost(
  session: Session,
  output: Output,
  gone: Undone,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  const { subscriptionId, partition } = gone;
  for (let after = gone.first - 1; ;) {
    const rows = await page(session, gone, until, after);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.position.offset;
    const tenantId = last.tenant;
    const letters = runsOf(rows).map(({ since, ...range }) =>
      heldRangeLetter({ subscriptionId, tenantId, since }, { partition, ...range }, 'let-go'),
    );
    const ends = rows.filter(({ isLost }) => isLost).map((row) => endOf(row, subscriptionId, 'let-go'));
    await buryAll(output, letters, ends, signal);
  }
}

/** The ranges without a delivery that is not lost. */
function runsOf(rows: readonly Row[]): Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (const { isLost, position } of rows) {
    const { offset, at } = position;
    if (isLost && open) open.to = offset + 1;
    else if (isLost) runs.push((open = { from: offset, to: offset + 1, since: new Date(at) }));
    else open = undefined;
  }
  return runs;
}

async function page(
  session: Session,
  { subscriptionId, partition, firstAt, lastAt, last }: Undone,
  until: number,
  after: number,
): Promise<Row[]> {
  const times = [new Date(firstAt), new Date(lastAt), new Date(until)];
  const rows = await session.query<FoundRow>(ROWS, [subscriptionId, partition, after, last, ...times, PAGE]);
  return rows.map(({ offset, at, tenant_id: tenant, event_id: id, type, replay_id: replayId, is_lost: isLost }) => ({
    position: { partition, offset: Number(offset), at: at.getTime() },
    tenant,
    event: { tenant, id, type },
    replayId,
    isLost,
  }));
}

interface FoundRow extends Record<string, unknown> {
  offset: string;
  at: Date;
  tenant_id: string;
  event_id: string;
  type: string;
  replay_id: string | null;
  is_lost: boolean;
}

const ROWS = `
  SELECT event_offset AS "offset", event_at AS at, tenant_id, event_id, type, replay_id,
         state IN ('pending', 'retrying') AND updated_at <= $7 AS is_lost
    FROM deliveries
   WHERE subscription_id = $1 AND event_partition = $2 AND event_offset > $3 AND event_offset <= $4
     AND event_at BETWEEN $5 AND $6
  UNION ALL
  SELECT r."offset", r.appended_at, e.tenant_id, e.event_id, e.type, NULL, true
    FROM event_routes r JOIN events e USING (partition, "offset", appended_at)
   WHERE $1 = ANY(r.matched) AND r.partition = $2 AND r."offset" > $3 AND r."offset" <= $4
     AND r.appended_at BETWEEN $5 AND $6 AND NOT EXISTS (
       SELECT FROM deliveries d
        WHERE d.event_partition = r.partition AND d.event_offset = r."offset" AND d.subscription_id = $1)
   ORDER BY 1 LIMIT $8`;
