import { TOPICS } from '@hookline/contracts';
import type { PoolClient } from 'pg';
import type { OffsetMove } from './recorder-offsets.js';

/**
 * Notes, in the transaction that moves the offsets, what a partition's first record of a batch has jumped over: the log
 * had let go of it before it was read. It costs nothing where nothing was jumped over.
 */
export async function noteJumps(client: PoolClient, moves: readonly OffsetMove[]): Promise<void> {
  const jumps = moves.filter(({ expected, first = expected }) => first > expected);
  if (jumps.length === 0) return;
  await client.query(
    `INSERT INTO recorder_gaps (topic, partition, from_offset, to_offset, reason)
     SELECT topic, partition, from_offset, to_offset, 'log-retention'
       FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[]) AS j(topic, partition, from_offset, to_offset)
     ON CONFLICT DO NOTHING`,
    [
      jumps.map(({ topic }) => topic),
      jumps.map(({ partition }) => partition),
      jumps.map(({ expected }) => expected),
      jumps.map(({ first }) => first),
    ],
  );
}

/** A statement for a PL/pgSQL block that notes what a day's table of `events` has of each partition. */
export function noteDay(table: string): string {
  return `
    INSERT INTO recorder_gaps (topic, partition, from_offset, to_offset, reason, from_at, to_at)
    SELECT o.topic, o.partition, oldest."offset", newest."offset" + 1, 'history-retention',
           oldest.appended_at, newest.appended_at
      FROM recorder_offsets o
      CROSS JOIN LATERAL (
        SELECT "offset", appended_at FROM ${table} e WHERE e.partition = o.partition ORDER BY "offset" LIMIT 1) oldest
      CROSS JOIN LATERAL (
        SELECT "offset", appended_at FROM ${table} e WHERE e.partition = o.partition ORDER BY "offset" DESC LIMIT 1) newest
     WHERE o.topic = '${TOPICS.events}'
    ON CONFLICT DO NOTHING;`;
}
