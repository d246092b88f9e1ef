import type { LogPosition } from '@hookline/contracts';
import type { Queryable } from '@hookline/persistence';

/** What the workers have decided about an event, whoever of them read it. */
export interface Decided {
  matched: ReadonlySet<string>;
  duplicate: boolean;
}

/** An event that matched exactly one subscription has no row of its own: its delivery says so. */
const DECIDED = `
  SELECT "offset", matched, duplicate_of IS NOT NULL AS duplicate FROM event_routes
   WHERE partition = $1 AND "offset" = ANY($2::bigint[]) AND appended_at BETWEEN $3 AND $4
  UNION ALL
  SELECT event_offset, ARRAY[subscription_id], false FROM deliveries
   WHERE event_partition = $1 AND event_offset = ANY($2::bigint[]) AND event_at BETWEEN $3 AND $4 AND sole_match`;

/** By offset, those of the events that are decided as far as history knows. @param positions of one partition */
export async function decidedAmong(
  database: Queryable,
  positions: readonly LogPosition[],
): Promise<Map<number, Decided>> {
  const [first] = positions;
  if (first === undefined) return new Map();
  const times = positions.map(({ at }) => at);
  const rows = await database.query<{ offset: string; matched: string[]; duplicate: boolean }[]>(DECIDED, [
    first.partition,
    positions.map(({ offset }) => offset),
    new Date(times.reduce((a, b) => Math.min(a, b))),
    new Date(times.reduce((a, b) => Math.max(a, b))),
  ]);
  const decided = new Map<number, Decided>();
  for (const { offset, matched, duplicate } of rows) {
    // Two owners, one after the other, may have decided it by different views.
    const known = decided.get(Number(offset));
    decided.set(Number(offset), {
      matched: new Set([...(known?.matched ?? []), ...matched]),
      duplicate: duplicate || known?.duplicate === true,
    });
  }
  return decided;
}
