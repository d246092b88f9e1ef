import type { Pool } from 'pg';
import { noteDay } from '../recording/recorder-gaps.js';

/**
 * The tables that are cut into days, in the order in which a day of them goes, each for itself: events before what says
 * that one is a repeat, and that before the deliveries, without which what was matched would seem to have got nothing.
 */
const TABLES = ['events', 'event_routes', 'deliveries', 'replay_deliveries', 'attempts'] as const;

/** "hday" as a number: whoever makes days holds this advisory lock. */
const DAYS_LOCK = 0x68646179;

const DAY_MS = 86_400_000;

/** The UTC day of a time in milliseconds, as `20261122`. */
function dayName(at: number): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
}

/**
 * The days of the history tables. A day is made when a record of it is met (by the record's time, never by the clock,
 * or a late record would have no place), and remembered, so that a known day costs nothing.
 */
export class DayPartitions {
  private readonly known = new Set<number>();

  /**
   * Makes the days of these times (ms since the epoch), where they are missing.
   * @param database no transaction may be open on it
   */
  async ensure(database: Pick<Pool, 'query'>, times: Iterable<number>): Promise<void> {
    const missing = new Set<number>();
    for (const at of times) {
      const day = Math.floor(at / DAY_MS);
      if (!this.known.has(day)) missing.add(day);
    }
    if (missing.size === 0) return;
    for (const day of [...missing].sort((a, b) => a - b)) {
      await database.query(createDay(day * DAY_MS));
      this.known.add(day);
    }
  }

  /** Forgets which days are there, for someone else may have dropped one. */
  forget(): void {
    this.known.clear();
  }

  /**
   * Drops every day that ended before this time, with all that it holds.
   * @returns the names of the tables that are gone
   */
  async dropBefore(database: Pick<Pool, 'query'>, at: number): Promise<string[]> {
    const { rows } = await database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i
         JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
        WHERE parent.relname = ANY($1::text[]) AND c.relname ~ '_[0-9]{8}$' AND right(c.relname, 8) < $2
        ORDER BY array_position($1::text[], parent.relname::text), c.relname`,
      [TABLES, dayName(at)],
    );
    this.forget();
    for (const { name } of rows) await database.query(dropDay(name));
    return rows.map((row) => row.name);
  }
}

/**
 * One transaction, for it is one simple query. A table of its own is made first and then attached: making it a
 * partition at once would lock the whole table against its readers.
 */
function createDay(start: number): string {
  const [from, to] = [start, start + DAY_MS].map((at) => new Date(at).toISOString());
  const tables = TABLES.map((table) => {
    const name = `${table}_${dayName(start)}`;
    return `
      IF to_regclass('${name}') IS NULL THEN
        CREATE TABLE ${name} (LIKE ${table});
        ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}');
      END IF;`;
  });
  return `DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(${DAYS_LOCK}); ${tables.join('')}
  END $$`;
}

/** What is gone with a day of events is noted in the transaction that drops it, for the readers of the stream. */
function dropDay(table: string): string {
  return `DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(${DAYS_LOCK});
    IF to_regclass('${table}') IS NOT NULL THEN
      ${table.startsWith('events_') ? noteDay(table) : ''}
      DROP TABLE ${table};
    END IF;
  END $$`;
}
