import { TOPICS, type LogPosition } from '@hookline/contracts';
import { type Queryable, unlessAborted } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import { decidedAmong, type Decided } from './decided-among.js';
import type { LogBounds } from './resolve-ranges.js';

/** Between two looks at the history, ms. */
const LOOK_MS = 250;

export interface DecisionsParts {
  database: Queryable;
  log: Pick<LogBounds, 'bounds'>;
  clock: Clock;
  logger: Logger;
  /** How long to wait without progress, ms. */
  waitMs: number;
}

/**
 * What the delivery workers have decided about events: whether one repeats another. A replay reads their decisions
 * and never decides itself. So where the recorder has not written them yet, it waits; and where nothing comes for a
 * while (the history is shorter than the log, or the workers stand still), it goes on and takes them for no repeats.
 * One for each run of a replay.
 */
export class Decisions {
  /** Partitions where waiting was in vain: the next batch there is not waited for unless some of it is decided. */
  private readonly inVain = new Set<number>();

  constructor(private readonly parts: DecisionsParts) {}

  /**
   * @param positions of one partition, in order
   * @returns the offsets of those that repeat another event; what is not known to repeat one is taken for none
   */
  async duplicatesAmong(positions: readonly LogPosition[], signal: AbortSignal): Promise<Set<number>> {
    const known = await this.among(positions, signal);
    return new Set([...known].filter(([, { duplicate }]) => duplicate).map(([offset]) => offset));
  }

  /**
   * What was decided, by offset; without those that history does not say anything of, though it was waited for.
   * @param positions of one partition, in order
   */
  async among(positions: readonly LogPosition[], signal: AbortSignal): Promise<Map<number, Decided>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    let known = await this.look(positions);
    if (known.size < positions.length && !(this.inVain.has(first.partition) && known.size === 0))
      known = await this.waitForMore(positions, known, signal);
    const undecided = positions.length - known.size;
    if (undecided === 0) this.inVain.delete(first.partition);
    else {
      this.inVain.add(first.partition);
      this.parts.logger.warn(
        { undecided, partition: first.partition, from: first.offset },
        'the history does not say what became of events that are replayed: whom they matched, and whether they are repeats',
      );
    }
    return known;
  }

  /** Progress is one more decision, or the recorder on its way through what was there when the wait began. */
  private async waitForMore(
    positions: readonly LogPosition[],
    known: Map<number, Decided>,
    signal: AbortSignal,
  ): Promise<Map<number, Decided>> {
    const { clock, waitMs } = this.parts;
    const written = (await this.parts.log.bounds(TOPICS.attempts)).reduce((sum, { high }) => sum + high, 0);
    let recorded = await this.recorded();
    let progressAt = clock.now();
    while (known.size < positions.length && clock.now() - progressAt < waitMs) {
      await unlessAborted(new Promise<void>((resolve) => clock.after(LOOK_MS, resolve)), signal);
      const before = { known: known.size, recorded };
      known = await this.look(positions);
      recorded = await this.recorded();
      const catchingUp = before.recorded < written && recorded > before.recorded;
      if (known.size > before.known || catchingUp) progressAt = clock.now();
    }
    return known;
  }

  /** How far the recorder is in `hookline.attempts`, over all partitions. */
  private async recorded(): Promise<number> {
    const [row] = await this.parts.database.query<{ sum: string | null }[]>(
      'SELECT sum(next_offset) FROM recorder_offsets WHERE topic = $1',
      [TOPICS.attempts],
    );
    return Number(row?.sum ?? 0);
  }

  private look(positions: readonly LogPosition[]): Promise<Map<number, Decided>> {
    return decidedAmong(this.parts.database, positions);
  }
}
