import { TOPICS } from '@hookline/contracts';
import type { LogBounds } from './resolve-ranges.js';

/** The database, or a session with it. */
interface Reader {
  query(sql: string, parameters: unknown[]): Promise<unknown>;
}

/** Where `hookline.attempts` ends now, by partition. */
export async function endsOfAttempts(log: Pick<LogBounds, 'bounds'>): Promise<Record<string, number>> {
  const bounds = await log.bounds(TOPICS.attempts);
  return Object.fromEntries(bounds.map(({ partition, high }) => [partition, high]));
}

/** Whether history has all outcomes that stand before these positions of `hookline.attempts`, all of them. */
export async function isRecordedUpTo(
  database: Reader,
  ...ends: readonly Readonly<Record<string, number>>[]
): Promise<boolean> {
  const sql = 'SELECT partition, next_offset FROM recorder_offsets WHERE topic = $1';
  const rows = (await database.query(sql, [TOPICS.attempts])) as { partition: number; next_offset: string }[];
  const recorded = new Map(rows.map((row) => [String(row.partition), Number(row.next_offset)]));
  return ends.flatMap(Object.entries<number>).every(([partition, end]) => (recorded.get(partition) ?? 0) >= end);
}
