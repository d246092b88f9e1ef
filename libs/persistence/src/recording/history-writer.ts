import type { Pool, PoolClient } from 'pg';
import type { DayPartitions } from '../history/day-partitions.js';
import { ATTEMPTS, attemptRows, type OutcomeToRecord } from './attempt-rows.js';
import { BinaryBuffer } from './binary-buffer.js';
import { copyRows } from './copy.js';
import { EVENTS, type EventToRecord } from './event-rows.js';
import { ExpungedFilter } from './expunged-filter.js';
import { noteJumps } from './recorder-gaps.js';
import { moveOffsets, type OffsetMove } from './recorder-offsets.js';
import { changeSubscriptions } from './subscription-changes.js';
import { recordHealth } from './subscription-health.js';
import { SuccessMinutes } from './success-minutes.js';
import { insertRoutes, upsertDeliveries, upsertReplayDeliveries } from './upserts.js';

/** What is written together, with the offsets that it moves. */
export interface HistoryBatch {
  moves: readonly OffsetMove[];
  events: readonly EventToRecord[];
  outcomes: readonly OutcomeToRecord[];
}

/** Rows written, by table. */
export interface WrittenRows {
  events: number;
  attempts: number;
  deliveries: number;
  event_routes: number;
  replay_deliveries: number;
  /** Since when it fails, and when it last succeeded. */
  subscription_health: number;
  /** Disabled, for their endpoints are gone; held back, or let go on. */
  subscriptions: number;
}

const ignore = (): void => undefined;
const INITIAL_BUFFER_BYTES = 1_048_576;
const DEFAULT_GAP_MS = 6 * 3_600_000;

/** Writes history: each batch in one transaction, or not at all. One batch at a time. */
export class HistoryWriter {
  private readonly buffer = new BinaryBuffer(INITIAL_BUFFER_BYTES);
  private readonly successes = new SuccessMinutes();
  private readonly expunged = new ExpungedFilter();

  /** @param failingGapMs how long no attempt may be known of for the failure of an endpoint to count as one and the same */
  constructor(
    private readonly pool: Pool,
    private readonly days: DayPartitions,
    private readonly failingGapMs: number = DEFAULT_GAP_MS,
  ) {}

  /**
   * Resolves when the batch is committed. PostgreSQL may still lose what it committed in the last fraction of a second
   * if it crashes (`synchronous_commit = off`); the offsets are lost with it, so that the rows are written again.
   * @param signal gives up: the connection is cut, and whether the batch was committed is then unknown
   * @throws OffsetsMoved when the offsets are not as expected; nothing was written then
   */
  async write(batch: HistoryBatch, signal: AbortSignal): Promise<WrittenRows> {
    signal.throwIfAborted();
    const client = await this.pool.connect();
    // A connection that breaks fails its query, and that is how we know; without a listener it would end the process.
    client.on('error', ignore);
    const cut = (): void => client.release(new Error('given up'));
    signal.addEventListener('abort', cut, { once: true });
    let failure: Error | undefined;
    try {
      await this.days.ensure(client, timesOf(batch));
      return await this.transact(client, batch);
    } catch (error) {
      failure = error as Error;
      // One of the days may have been dropped by another process.
      this.days.forget();
      this.successes.forget();
      this.expunged.forget();
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
      if (!failure) client.off('error', ignore);
      // After a failure the state of the connection isn't known: a new one costs little.
      if (!signal.aborted) client.release(failure);
    }
  }

  private async transact(client: PoolClient, { moves, ...read }: HistoryBatch): Promise<WrittenRows> {
    await client.query('BEGIN; SET LOCAL synchronous_commit = off');
    await moveOffsets(client, moves);
    await noteJumps(client, moves);
    await this.expunged.look(client);
    const batch = { events: this.expunged.events(read.events), outcomes: this.expunged.outcomes(read.outcomes) };
    const attempts = attemptRows(batch.outcomes);
    await this.successes.note(client, batch.outcomes);
    if (batch.events.length > 0) await copyRows(client, EVENTS, batch.events, this.buffer);
    if (attempts.length > 0) await copyRows(client, ATTEMPTS, attempts, this.buffer);
    const rows: WrittenRows = {
      events: batch.events.length,
      attempts: attempts.length,
      deliveries: await upsertDeliveries(client, batch.outcomes),
      event_routes: await insertRoutes(client, batch.outcomes),
      replay_deliveries: await upsertReplayDeliveries(client, batch.outcomes),
      subscription_health: await recordHealth(client, batch.outcomes, this.failingGapMs),
      // Last, for management waits for the rows that this locks.
      subscriptions: await changeSubscriptions(client, batch.outcomes),
    };
    await client.query('COMMIT');
    return rows;
  }
}

/** A row's day comes from the record, never from the clock. */
function* timesOf(batch: HistoryBatch): Iterable<number> {
  for (const { position } of batch.events) yield position.at;
  for (const { position, outcome } of batch.outcomes) {
    yield position.at;
    yield outcome.source.at;
  }
}
