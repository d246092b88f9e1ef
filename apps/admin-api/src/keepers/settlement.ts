import { TOPICS } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import {
  enqueue,
  PUBLISHED_COLUMNS,
  toSubscriptionRecord,
  type Subscription,
  type Session,
} from '@hookline/persistence';
import { SPAN_COLUMNS, withLetters, type HeldSpan } from '../replays/held-spans.js';
import type { GoneRange, ReplayResult } from '../replays/replay-job.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { inTransaction, type Keeper } from './keepers.js';
import { writeAll } from './write-all.js';
import { heldRangeLetter } from './letters.js';

/** Catch-ups that one round looks at. */
const BATCH = 500;

interface FinishedCatchUp {
  id: string;
  /** Of a catch-up since a time: what was appended before it stays held, ms since the epoch. */
  since: string | null;
  result: ReplayResult | null;
}

/**
 * Draws the conclusions of catch-ups that are finished. The spans of one that is complete end as caught up once history
 * knows of all that was handed over, for only then the next catch-up brings what this one's lane still has; those of one
 * that was cancelled or failed are held as before. An ordered subscription's live deliveries go on when all that was handed
 * over has ended.
 */
export class Settlement implements Keeper {
  readonly name = 'settlement';

  constructor(
    private readonly log: Pick<LogBounds, 'at'>,
    private readonly output: Output,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    await session.query(RELEASE);
    for (const catchUp of await session.query<FinishedCatchUp & Record<string, unknown>>(KNOWN, [BATCH]))
      await this.endSpans(session, catchUp, signal);
    for (const { id, replay } of await session.query<{ id: string; replay: string }>(ENDED, [BATCH]))
      await inTransaction(session, () => goOn(session, id, replay));
  }

  private async endSpans(session: Session, { id, since, result }: FinishedCatchUp, signal: AbortSignal): Promise<void> {
    const floor = since === null ? undefined : await this.log.at(TOPICS.events, timeOf(since));
    const spans = await session.query<HeldSpan & Record<string, unknown>>(
      `SELECT ${SPAN_COLUMNS} FROM held_spans h WHERE h.replay_id = $1 AND h.ended_at IS NULL`,
      [id],
    );
    for (const span of spans) {
      const rest = floor && restBefore(span, floor);
      const lost = lostOf(span, result?.gone ?? [], rest);
      const letters = lost.map((range) => heldRangeLetter(span, range, 'let-go'));
      await writeAll(this.output, letters, signal);
      const lettered = JSON.stringify(withLetters(span, lost));
      if (rest) await session.query(KEEP_REST, [span.id, lettered, JSON.stringify(rest)]);
      else await session.query(END, [span.id, lettered]);
    }
  }
}

function timeOf(since: string): number {
  const at = Number(since);
  return Number.isNaN(at) ? Date.parse(since) : at;
}

/** The ends of what a catch-up since a time has left of a span; undefined where it has left nothing. */
function restBefore(span: HeldSpan, floor: ReadonlyMap<number, number>): Record<string, number> | undefined {
  const rest: Record<string, number> = {};
  let any = false;
  for (const [partition, to] of Object.entries(span.to ?? {})) {
    const from = span.from[partition] ?? 0;
    rest[partition] = Math.max(from, Math.min(to, floor.get(Number(partition)) ?? to));
    any ||= rest[partition] > from;
  }
  return any ? rest : undefined;
}

/** What of a span was gone before it could be read; what stays held is left to the span's keeper. */
function lostOf(
  span: HeldSpan,
  gone: readonly GoneRange[],
  rest: Readonly<Record<string, number>> | undefined,
): GoneRange[] {
  return gone.flatMap((range) => {
    const { partition } = range;
    const from = Math.max(range.from, rest?.[partition] ?? span.from[partition] ?? 0);
    const to = Math.min(range.to, span.to?.[partition] ?? 0);
    return from < to ? [{ partition, from, to }] : [];
  });
}

/** In the transaction that tells the workers. */
async function goOn(session: Session, id: string, replay: string): Promise<void> {
  const rows = await session.query<Subscription & Record<string, unknown>>(GO_ON, [id, replay]);
  if (rows.length > 0) await enqueue(session, TOPICS.subscriptions, ...rows.map(toSubscriptionRecord));
}

const RELEASE = `
  UPDATE held_spans h SET replay_id = NULL FROM replays r
   WHERE h.ended_at IS NULL AND r.id = h.replay_id AND r.status IN ('cancelled', 'failed')`;

const COUNT = 'SELECT count(*) FROM replay_deliveries d WHERE d.replay_id = r.id';

/** Lanes keep nothing for longer, and history need not: nobody waits for what can't come any more. */
const LONG_AGO = `r.finished_at < now() - interval '7 days'`;

const KNOWN = `
  SELECT r.id, r.spec->'from'->>'timestamp' AS since, r.result FROM replays r
   WHERE r.status = 'completed'
     AND r.id IN (SELECT replay_id FROM held_spans WHERE ended_at IS NULL AND replay_id IS NOT NULL)
     AND ((${COUNT}) >= r.sent OR ${LONG_AGO})
   ORDER BY r.id LIMIT $1`;

const ENDED = `
  SELECT s.id, s.catching_up AS replay FROM subscriptions s JOIN replays r ON r.id = s.catching_up
   WHERE s.catching_up IS NOT NULL AND s.status <> 'deleted' AND r.finished_at IS NOT NULL
     AND ((${COUNT} AND d.state IN ('delivered', 'dead-lettered', 'held')) >= r.sent OR ${LONG_AGO})
   ORDER BY s.id LIMIT $1`;

const END = `UPDATE held_spans SET lettered = $2, ended_as = 'caught-up', ended_at = now() WHERE id = $1 AND ended_at IS NULL`;

const KEEP_REST =
  'UPDATE held_spans SET lettered = $2, to_offsets = $3, replay_id = NULL WHERE id = $1 AND ended_at IS NULL';

const GO_ON = `
  UPDATE subscriptions s SET catching_up = NULL, version = s.version + 1, updated_at = greatest(s.updated_at, now())
   WHERE s.id = $1 AND s.catching_up = $2
  RETURNING ${PUBLISHED_COLUMNS}`;
