import type { Session } from '@hookline/persistence';

/**
 * Whether history lacks any of a topic's records below these offsets.
 * @param ends by partition, exclusive
 */
export async function isBehind(
  session: Session,
  topic: string,
  ends: readonly Readonly<Record<string, number>>[],
): Promise<boolean> {
  const needed = ends.map((each) => JSON.stringify(each));
  return (await session.query(BEHIND, [needed, topic])).length > 0;
}

const BEHIND = `
  SELECT 1 FROM unnest($1::jsonb[]) AS needed, jsonb_each_text(needed) AS e(partition, written)
    LEFT JOIN recorder_offsets o ON o.topic = $2 AND o.partition = e.partition::integer
   WHERE coalesce(o.next_offset, 0) < e.written::bigint LIMIT 1`;
