import type { Pool, PoolClient } from 'pg';
import type { OutcomeToRecord } from './attempt-rows.js';
import { binaryArray, TIMESTAMP } from './binary-array.js';

const MINUTE_MS = 60_000;
const MOST_REMEMBERED = 1_000;

/** In one order: two recorders that come to the same minutes wait for each other. */
const INSERT = `
  INSERT INTO success_minutes (minute) SELECT minute FROM unnest($1::timestamptz[]) AS m(minute) ORDER BY 1
  ON CONFLICT DO NOTHING`;

/**
 * Keeps in which minutes anything succeeded, whoever it was sent to: that attempts get out of here at all. By append times, so
 * that neither the order matters in which outcomes come, nor how often.
 */
export class SuccessMinutes {
  private readonly known = new Set<number>();

  /** Writes those that are new here: a few rows in a minute at most, and no statement for most batches. */
  async note(client: PoolClient, outcomes: readonly OutcomeToRecord[]): Promise<void> {
    const minutes = new Set<number>();
    for (const { position, outcome } of outcomes)
      if (outcome.delivery?.state === 'delivered') minutes.add(position.at - (position.at % MINUTE_MS));
    const news = [...minutes].filter((minute) => !this.known.has(minute));
    if (news.length === 0) return;
    await client.query({
      name: 'note-successes',
      text: INSERT,
      values: [binaryArray(TIMESTAMP, news, (minute) => minute)],
    });
    if (this.known.size > MOST_REMEMBERED) this.known.clear();
    for (const minute of news) this.known.add(minute);
  }

  /** Something may not have been committed, or the database is not what it was. */
  forget(): void {
    this.known.clear();
  }
}

/** Forgets the minutes before a time, ms since the epoch. */
export async function forgetSuccesses(database: Pick<Pool, 'query'>, before: number): Promise<void> {
  await database.query('DELETE FROM success_minutes WHERE minute < $1', [new Date(before)]);
}
