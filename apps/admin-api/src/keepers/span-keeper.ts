import { TOPICS, type HeldRangeReason } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { SPAN_COLUMNS, withLetters, type HeldSpan } from '../replays/held-spans.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import type { Keeper } from './keepers.js';
import { heldRangeLetter, type LostRange } from './letters.js';
import { writeAll } from './write-all.js';

/** Spans that one round looks at. */
const BATCH = 500;

/**
 * Writes a dead letter for what is held and will never come: for each partition's offsets that the log has let go of, and
 * for all that a deleted subscription has not got. The letters first, then the row: after a crash they are written again.
 * What a catch-up brings is left to it.
 */
export class SpanKeeper implements Keeper {
  readonly name = 'span-keeper';

  constructor(
    private readonly log: Pick<LogBounds, 'bounds'>,
    private readonly output: Output,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    const bounds = await this.log.bounds(TOPICS.events);
    const low = new Map(bounds.map((bound) => [String(bound.partition), bound.low]));
    await this.letGo(session, low, signal);
    await this.bury(session, signal);
  }

  private async letGo(session: Session, low: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
    const lows = JSON.stringify(Object.fromEntries(low));
    for (const span of await spans(session, PASSED, [lows, BATCH])) {
      const lost = lostOf(span, low);
      await this.write(span, lost, 'let-go', signal);
      const from = { ...span.from };
      for (const { partition, to } of lost) from[partition] = to;
      await moveOn(session, span, { from, lost, endedAs: isOver(from, span.to) ? 'let-go' : null });
    }
  }

  private async bury(session: Session, signal: AbortSignal): Promise<void> {
    for (const span of await spans(session, DELETED, [BATCH])) {
      const lost = Object.entries(span.to ?? {}).map(([partition, to]) => ({
        partition: Number(partition),
        from: span.from[partition] ?? 0,
        to,
      }));
      await this.write(span, lost, 'subscription-deleted', signal);
      await moveOn(session, span, { from: span.from, lost, endedAs: 'deleted' });
    }
  }

  private async write(
    span: HeldSpan,
    lost: readonly LostRange[],
    reason: HeldRangeReason,
    signal: AbortSignal,
  ): Promise<void> {
    const letters = lost.filter(({ from, to }) => from < to).map((range) => heldRangeLetter(span, range, reason));
    await writeAll(this.output, letters, signal);
  }
}

async function moveOn(
  session: Session,
  span: HeldSpan,
  { from, lost, endedAs }: { from: HeldSpan['from']; lost: readonly LostRange[]; endedAs: 'let-go' | 'deleted' | null },
): Promise<void> {
  const lettered = JSON.stringify(withLetters(span, lost));
  await session.query(MOVE_ON, [span.id, JSON.stringify(from), endedAs, lettered]);
}

function lostOf({ from, to }: HeldSpan, low: ReadonlyMap<string, number>): LostRange[] {
  return [...low].flatMap(([partition, start]) => {
    const begin = from[partition] ?? 0;
    const end = Math.min(start, to === null ? start : (to[partition] ?? 0));
    return begin < end ? [{ partition: Number(partition), from: begin, to: end }] : [];
  });
}

function isOver(from: Readonly<Record<string, number>>, to: Readonly<Record<string, number>> | null): boolean {
  return to !== null && Object.entries(to).every(([partition, end]) => (from[partition] ?? 0) >= end);
}

function spans(session: Session, sql: string, parameters: unknown[]): Promise<HeldSpan[]> {
  return session.query<HeldSpan & Record<string, unknown>>(sql, parameters);
}

/** $1: where the log begins, by partition. */
const PASSED = `
  SELECT ${SPAN_COLUMNS} FROM held_spans h
   WHERE h.ended_at IS NULL AND h.replay_id IS NULL AND EXISTS (
     SELECT FROM jsonb_each_text($1::jsonb) AS low(partition, start)
      WHERE coalesce((h.from_offsets->>low.partition)::bigint, 0) < least(low.start::bigint,
              CASE WHEN h.to_offsets IS NULL THEN low.start::bigint
                   ELSE coalesce((h.to_offsets->>low.partition)::bigint, 0) END))
   ORDER BY h.id LIMIT $2`;

const DELETED = `
  SELECT ${SPAN_COLUMNS} FROM held_spans h JOIN subscriptions s ON s.id = h.subscription_id
   WHERE h.ended_at IS NULL AND h.to_offsets IS NOT NULL AND s.status = 'deleted' ORDER BY h.id LIMIT $1`;

const MOVE_ON = `
  UPDATE held_spans SET from_offsets = $2, lettered = $4, ended_as = $3, ended_at = CASE WHEN $3::text IS NULL THEN NULL ELSE now() END
   WHERE id = $1 AND ended_at IS NULL`;
