import { TOPICS } from '@hookline/contracts';
import type { RangeReader } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Keeper } from '../keepers/keepers.js';
import { oldestDay } from '../keepers/oldest-day.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { putDown } from './put-down.js';
import { recordIn } from './record-in.js';

/** Records that one round reads at most, for other keepers wait meanwhile. */
const ROUND = 20_000;
/** Between two looks for what is too old, ms. */
const SWEEP_MS = 3_600_000;
/** Rows that one statement deletes at most. */
const SWEEP_ROWS = 10_000;

export interface DeadLetterReaderParts {
  log: Pick<LogBounds, 'bounds'>;
  reader: RangeReader;
  clock: Clock;
  logger: Logger;
  /** How long a dead letter is kept, ms. */
  keptMs: number;
}

/**
 * Reads `hookline.dead-letters` once, and puts down what is no single delivery, so that it can be listed: ranges that were
 * held and are gone, and records that can't be read. How far it has come is in the database, moved in the same
 * transaction. What history has forgotten is forgotten here, too.
 */
export class DeadLetterReader implements Keeper {
  readonly name = 'dead-letter-reader';
  private nextSweep = -Infinity;

  constructor(private readonly parts: DeadLetterReaderParts) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    const { log, reader, clock, logger } = this.parts;
    const known = await positions(session);
    const ranges = (await log.bounds(TOPICS.deadLetters)).map(({ partition, low, high }) => {
      const next = known.get(partition) ?? 0;
      // The topic was made anew where it ends before what was read.
      return { partition, from: next > high ? low : Math.max(low, next), to: high };
    });
    let read = 0;
    for await (const { partition, records, next } of reader.read(TOPICS.deadLetters, ranges, signal)) {
      const found = records.map(recordIn).filter((said) => said !== undefined);
      await putDown(session, found, { partition, next }, logger);
      read += records.length;
      if (read >= ROUND) return;
    }
    if (clock.now() < this.nextSweep) return;
    this.nextSweep = clock.now() + SWEEP_MS;
    await this.sweep(session, signal);
  }

  private async sweep(session: Session, signal: AbortSignal): Promise<void> {
    const { clock, keptMs } = this.parts;
    await deleteAll(session, OLD_RECORDS, [new Date(clock.now() - keptMs)], signal);
    const oldest = await oldestDay(session);
    if (oldest === undefined) return;
    for (const table of ['replay_choices', 'dead_letter_discards'])
      await deleteAll(session, forgotten(table), [oldest], signal);
  }
}

async function deleteAll(session: Session, sql: string, parameters: unknown[], signal: AbortSignal): Promise<void> {
  for (let rows = SWEEP_ROWS; rows === SWEEP_ROWS;) {
    signal.throwIfAborted();
    rows = (await session.query(sql, [...parameters, SWEEP_ROWS])).length;
  }
}

async function positions(session: Session): Promise<Map<number, number>> {
  const rows = await session.query<{ partition: number; next_offset: string }>(
    'SELECT partition, next_offset FROM dead_letter_positions',
  );
  return new Map(rows.map((row) => [row.partition, Number(row.next_offset)]));
}

const OLD_RECORDS = `
  DELETE FROM dead_letter_records WHERE key IN (
    SELECT key FROM dead_letter_records WHERE appended_at < $1 ORDER BY appended_at LIMIT $2) RETURNING 1`;

function forgotten(table: string): string {
  return `
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${table} WHERE event_at < $1 LIMIT $2)) RETURNING 1`;
}
