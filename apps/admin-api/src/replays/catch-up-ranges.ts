import { EVENTS_GROUP, TOPICS } from '@hookline/contracts';
import {
  MissedDeliveries,
  type DeliveryStates,
  type Missed,
  type Queryable,
  type ReplayRange,
} from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { LogOffsets } from '../topics/log-offsets.js';
import { SPAN_COLUMNS, type HeldSpan } from './held-spans.js';
import { endsOfAttempts, isRecordedUpTo } from './recorded.js';
import { noteGone, type ReplayJob } from './replay-job.js';

export interface CatchUpRangesParts {
  database: Queryable;
  log: Pick<LogOffsets, 'bounds' | 'committed'>;
  states: DeliveryStates;
  clock: Clock;
  /** What a worker has in hand when it hears of a catch-up has ended by then, ms. */
  inHandMs: number;
}

/**
 * Finds out what a catch-up or a backlog has to read, once that can be known: every worker has heard of the version that
 * began it, none has an event in hand that it brings, the spans have their ends, and history has all outcomes that were
 * written by then. So what was under way before is in history with its state, and nobody adds to it.
 */
export class CatchUpRanges {
  constructor(private readonly parts: CatchUpRangesParts) {}

  /** @returns false while it has to wait */
  async resolve(job: ReplayJob): Promise<boolean> {
    const { subscriptionId, version, toOffsets } = job;
    if (Object.keys(job.partitions).length > 0) return true;
    // The publisher writes these when the version gets its place in the log.
    if (subscriptionId === null || version === null || toOffsets === null) return false;
    if (job.notBefore === null && !(await this.isOutOfHand(job, toOffsets))) return false;
    job.notBefore ??= await endsOfAttempts(this.parts.log);
    if (!(await isRecordedUpTo(this.parts.database, job.notBefore))) return false;
    // One that is still running has its spans.
    if (await this.isAnotherRunning(job.id, subscriptionId)) return false;
    const spans = await this.unended(subscriptionId, version);
    if (spans === undefined) return false;
    job.partitions = await this.rangesOf(job, subscriptionId, toOffsets, spans);
    await this.parts.database.query('UPDATE held_spans SET replay_id = $2 WHERE id = ANY($1::bigint[])', [
      spans.map(({ id }) => id),
      job.id,
    ]);
    return true;
  }

  /** What it brings. */
  spansOf(replayId: string): Promise<HeldSpan[]> {
    return this.parts.database.query<HeldSpan[]>(
      `SELECT ${SPAN_COLUMNS} FROM held_spans h WHERE h.replay_id = $1 AND h.ended_at IS NULL`,
      [replayId],
    );
  }

  /**
   * Whether the workers are through with the events that it brings. What they have in hand is attempted whatever the epoch, and
   * history knows it as pending where another subscription's delivery of the event has told what it matches. Workers that are
   * far behind are not waited for: they hand most of it over or take it up when history knows more, at the price of repeats.
   */
  private async isOutOfHand({ kind, toldAt }: ReplayJob, to: Readonly<Record<string, number>>): Promise<boolean> {
    const { clock, inHandMs, log } = this.parts;
    if (kind !== 'catch-up' || (toldAt !== undefined && clock.now() >= toldAt + inHandMs)) return true;
    const passed = await log.committed(EVENTS_GROUP, TOPICS.events);
    return Object.entries(to).every(([partition, offset]) => (passed.get(Number(partition)) ?? 0) >= offset);
  }

  private async rangesOf(
    job: ReplayJob,
    subscriptionId: string,
    toOffsets: Readonly<Record<string, number>>,
    spans: readonly HeldSpan[],
  ): Promise<Record<string, ReplayRange>> {
    // A backlog's deliveries go on where they are.
    const unended = job.kind === 'catch-up' ? await this.parts.states.firstUnended(subscriptionId) : new Map();
    const missed = await this.missed(job, subscriptionId);
    const ranges: Record<string, ReplayRange> = {};
    for (const { partition, low } of await this.parts.log.bounds(TOPICS.events)) {
      const to = toOffsets[partition] ?? 0;
      const begins = spans.map((span) => span.from[partition] ?? 0);
      const from = Math.min(to, unended.get(partition) ?? to, missed.get(partition)?.first ?? to, ...begins);
      const next = Math.min(to, Math.max(from, low));
      ranges[partition] = { from, next, to };
      noteGone(job.result, { partition, from, to: next });
    }
    return ranges;
  }

  private async missed({ missedSince, since }: ReplayJob, subscriptionId: string): Promise<Map<number, Missed>> {
    if (missedSince === undefined) return new Map();
    return new MissedDeliveries(this.parts.database).of(subscriptionId, missedSince, since);
  }

  /** @returns undefined while one of them has no end yet */
  private async unended(subscriptionId: string, version: number): Promise<HeldSpan[] | undefined> {
    const spans = await this.parts.database.query<HeldSpan[]>(
      `SELECT ${SPAN_COLUMNS} FROM held_spans h
        WHERE h.subscription_id = $1 AND h.version < $2 AND h.ended_at IS NULL ORDER BY h.version`,
      [subscriptionId, version],
    );
    return spans.some(({ to }) => to === null) ? undefined : spans;
  }

  private async isAnotherRunning(id: string, subscriptionId: string): Promise<boolean> {
    const [other] = await this.parts.database.query<{ id: string }[]>(
      `SELECT r.id FROM replays r, replays mine
        WHERE mine.id = $1 AND r.subscription_id = $2 AND r.id <> mine.id AND r.kind <> 'replay'
          AND r.finished_at IS NULL AND r.version < mine.version LIMIT 1`,
      [id, subscriptionId],
    );
    return other !== undefined;
  }
}
