import { expungedKey, TOPICS } from '@hookline/contracts';
import type { Output, TopicSpec } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Keeper } from '../keepers/keepers.js';
import { oldestDay } from '../keepers/oldest-day.js';
import { writeAll } from '../keepers/write-all.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { keptMs } from './log-copies.js';

/** Events that one round forgets at most. */
const BATCH = 1_000;
/** Between two looks where there is no more, ms. */
const LOOK_MS = 3_600_000;

export interface ExpungedKeeperParts {
  log: LogBounds;
  output: Output;
  clock: Clock;
}

/** For how long the log may have something that could be written to a database again, ms. */
export interface CouldComeBack {
  /** The event, since it was appended. */
  eventMs: number;
  /** What endpoints have answered, since it was expunged. */
  answersMs: number;
}

/**
 * @param plan the topics as they are kept
 * @param windowMs for how long an open delivery may go on from lane to lane
 */
export function couldComeBack(plan: readonly TopicSpec[], windowMs: number): CouldComeBack {
  const keptBy = (topic: string): number =>
    Math.max(0, ...plan.filter(({ name }) => name === topic).map((spec) => keptMs(spec)));
  return { eventMs: keptBy(TOPICS.events), answersMs: windowMs + keptBy(TOPICS.attempts) };
}

/**
 * Forgets what was expunged once it can't come back: the log has neither the event any more nor what endpoints answered, and
 * history has dropped its day. The log forgets it first, by a record without a value for its key, then the database: after a
 * crash in between that is written again.
 */
export class ExpungedKeeper implements Keeper {
  readonly name = 'expunged-keeper';
  private nextLook = -Infinity;

  constructor(
    private readonly parts: ExpungedKeeperParts,
    private readonly kept: CouldComeBack,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    const now = this.parts.clock.now();
    if (now < this.nextLook) return;
    const forgotten = await this.forget(session, now, signal);
    if (forgotten < BATCH) this.nextLook = now + LOOK_MS;
  }

  private async forget(session: Session, now: number, signal: AbortSignal): Promise<number> {
    const oldest = await oldestDay(session);
    if (oldest === undefined) return 0;
    const { eventMs, answersMs } = this.kept;
    const appendedBefore = now - eventMs;
    const bounds = [new Date(Math.min(appendedBefore, oldest.getTime())), new Date(now - answersMs)];
    const gone = JSON.stringify(await this.goneBelow(appendedBefore));
    const found = await session.query<{ partition: number; offset: string }>(FORGETTABLE, [...bounds, gone, BATCH]);
    if (found.length === 0) return 0;
    const events = found.map(({ partition, offset }) => ({ partition, offset: Number(offset) }));
    const tombstones = events.map((event) => ({ topic: TOPICS.progress, key: expungedKey(event), value: null }));
    await writeAll(this.parts.output, tombstones, signal);
    const [partitions, offsets] = [events.map(({ partition }) => partition), events.map(({ offset }) => offset)];
    await session.query(FORGET, [partitions, offsets, ...bounds]);
    return events.length;
  }

  /**
   * Of what was appended before this time: the offsets that the log has not, by partition. Settings say how long a topic is to
   * be kept, the log itself how long it is. One that begins later has none of them, whatever offsets it has, for it may have
   * been made anew.
   */
  private async goneBelow(time: number): Promise<Record<string, number>> {
    const { log } = this.parts;
    const first = await log.at(TOPICS.events, time);
    // Asked afterwards: what goes meanwhile only makes it begin later.
    const bounds = await log.bounds(TOPICS.events);
    return Object.fromEntries(
      bounds.map(({ partition, low }) => {
        const beginsLater = (first.get(partition) ?? Infinity) <= low;
        return [partition, beginsLater ? Number.MAX_SAFE_INTEGER : low];
      }),
    );
  }
}

/** $1, $2: appended and expunged before; $3: see `goneBelow`. Where offsets were given twice, the newest counts: they share a key. */
const FORGETTABLE = `
  SELECT x.partition, x."offset"
    FROM expunged_events x JOIN jsonb_each_text($3::jsonb) AS gone(partition, below)
      ON x.partition = gone.partition::integer AND x."offset" < gone.below::bigint
   GROUP BY 1, 2 HAVING max(x.appended_at) < $1 AND max(x.expunged_at) < $2
   ORDER BY 1, 2 LIMIT $4`;

const FORGET = `
  DELETE FROM expunged_events x USING unnest($1::integer[], $2::bigint[]) AS forgotten(partition, "offset")
   WHERE x.partition = forgotten.partition AND x."offset" = forgotten."offset"
     AND x.appended_at < $3 AND x.expunged_at < $4`;
