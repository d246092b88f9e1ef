import type { Pool, PoolClient } from 'pg';

/** A partition's step forward: what the writer believes, and what holds after its rows are in. */
export interface OffsetMove {
  topic: string;
  partition: number;
  expected: number;
  /** The offset of the first record; the log let go of what is between that and the one expected. */
  first?: number;
  next: number;
}

/** The key of a partition in a map of offsets. */
export const offsetKey = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`;

/** Someone else has written these partitions meanwhile, or the database went back in time. */
export class OffsetsMoved extends Error {
  override name = 'OffsetsMoved';
  /** @param actual what the database holds, for each partition of the batch */
  constructor(readonly actual: ReadonlyMap<string, number>) {
    super('the stored offsets are not those that were expected');
  }
}

/**
 * The next offset of each partition as the database has it: it moves in the transaction that writes the rows.
 * Zero where nothing of a partition was written; its row is made then, for a row is what can be locked.
 */
export async function readOffsets(
  pool: Pick<Pool, 'query'>,
  partitions: readonly { topic: string; partition: number }[],
): Promise<Map<string, number>> {
  const values = columns(partitions);
  await pool.query(
    `INSERT INTO recorder_offsets (topic, partition, next_offset)
     SELECT topic, partition, 0 FROM unnest($1::text[], $2::int4[]) AS p(topic, partition) ORDER BY 1, 2
     ON CONFLICT (topic, partition) DO NOTHING`,
    values,
  );
  const { rows } = await pool.query<OffsetRow>(`${SELECT_OFFSETS} ORDER BY 1, 2`, values);
  return toMap(rows);
}

/**
 * Moves the offsets if they are as expected; they stay locked until the transaction ends.
 * @throws OffsetsMoved
 */
export async function moveOffsets(client: PoolClient, moves: readonly OffsetMove[]): Promise<void> {
  const [topics, partitions] = columns(moves);
  // Locked in one order, so that two recorders wait for each other instead of killing each other.
  const { rows } = await client.query<OffsetRow>({
    name: 'lock-offsets',
    text: `${SELECT_OFFSETS} ORDER BY 1, 2 FOR UPDATE OF o`,
    values: [topics, partitions],
  });
  const actual = toMap(rows);
  if (moves.some((move) => (actual.get(offsetKey(move)) ?? 0) !== move.expected || !actual.has(offsetKey(move))))
    throw new OffsetsMoved(actual);
  await client.query({
    name: 'move-offsets',
    text: `UPDATE recorder_offsets o SET next_offset = p.next_offset
             FROM unnest($1::text[], $2::int4[], $3::int8[]) AS p(topic, partition, next_offset)
            WHERE o.topic = p.topic COLLATE "C" AND o.partition = p.partition`,
    values: [topics, partitions, moves.map((move) => move.next)],
  });
}

interface OffsetRow {
  topic: string;
  partition: number;
  next_offset: string;
}

const SELECT_OFFSETS = `
  SELECT o.topic, o.partition, o.next_offset FROM recorder_offsets o
    JOIN unnest($1::text[], $2::int4[]) AS p(topic, partition)
      ON o.topic = p.topic COLLATE "C" AND o.partition = p.partition`;

function columns(partitions: readonly { topic: string; partition: number }[]): [string[], number[]] {
  return [partitions.map(({ topic }) => topic), partitions.map(({ partition }) => partition)];
}

function toMap(rows: readonly OffsetRow[]): Map<string, number> {
  return new Map(rows.map((row) => [offsetKey(row), Number(row.next_offset)]));
}
