import { TOPICS } from '@hookline/contracts';
import type { PoolClient } from 'pg';
import type { Queryable } from '../migrate.js';
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

/** A range that the log let go of before it was recorded: offsets, `from` inclusive, `to` exclusive. */
export interface RecorderGap {
  topic: string;
  partition: number;
  from: number;
  to: number;
}

/**
 * Notes it before anything behind it is read, so that it is known also where nothing comes after it.
 * @param events the topic of the events: of what is before it there history knows the time
 * @param until the append time of the first record behind it, ms since the epoch; undefined where there is none
 */
export async function noteGap(
  database: Queryable,
  { topic, partition, from, to }: RecorderGap,
  events: string,
  until: number | undefined,
): Promise<void> {
  await database.query(
    `INSERT INTO recorder_gaps (topic, partition, from_offset, to_offset, reason, since, until)
     SELECT $1::text, $2::int4, $3::int8, $4::int8, 'log-retention', (
              SELECT appended_at FROM events
               WHERE $1 = $5 AND partition = $2 AND "offset" < $3 ORDER BY "offset" DESC LIMIT 1), $6
     ON CONFLICT DO NOTHING`,
    [topic, partition, from, to, events, until === undefined ? null : new Date(until)],
  );
}

/** A gap, and when it was noted; times in ms since the epoch. */
export interface NotedRecorderGap extends RecorderGap {
  notedAt: number;
  since: number | undefined;
  until: number | undefined;
}

/**
 * What the recorder never got, the oldest first. One that grew before it was passed is noted several times: the longest
 * counts, with the times that any of them knew.
 */
export async function recorderGaps(database: Queryable): Promise<NotedRecorderGap[]> {
  const rows = await database.query<GapRow[]>(
    `SELECT topic, partition, from_offset, max(to_offset) AS to_offset, max(noted_at) AS noted_at, min(since) AS since,
            max(until) AS until
       FROM recorder_gaps WHERE reason = 'log-retention'
      GROUP BY topic, partition, from_offset ORDER BY max(noted_at), topic, partition, from_offset`,
  );
  return rows.map(({ topic, partition, from_offset, to_offset, noted_at, since, until }) => ({
    topic,
    partition,
    from: Number(from_offset),
    to: Number(to_offset),
    notedAt: noted_at.getTime(),
    since: since?.getTime(),
    until: until?.getTime(),
  }));
}

interface GapRow {
  topic: string;
  partition: number;
  from_offset: string;
  to_offset: string;
  noted_at: Date;
  since: Date | null;
  until: Date | null;
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
