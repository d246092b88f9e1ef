import type { LogPosition } from '@hookline/contracts';
import type { Queryable } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';

/** Between two looks at the history, ms. */
const LOOK_MS = 250;

/**
 * What the delivery workers have decided about events: whether one repeats another. A replay reads their decisions
 * and never decides itself. So where the recorder has not written them yet, it waits; and where nothing comes for a
 * while (the history is shorter than the log, or the workers stand still), it goes on and takes them for no repeats.
 */
export class Decisions {
  constructor(
    private readonly database: Queryable,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly waitMs: number,
  ) {}

  /**
   * @param positions of one partition, in order
   * @returns the offsets of those that repeat another event
   */
  async duplicatesAmong(positions: readonly LogPosition[], signal: AbortSignal): Promise<Set<number>> {
    let known = await this.look(positions);
    let progressAt = this.clock.now();
    while (known.size < positions.length && this.clock.now() - progressAt < this.waitMs) {
      await this.pause(signal);
      const before = known.size;
      known = await this.look(positions);
      if (known.size > before) progressAt = this.clock.now();
    }
    const undecided = positions.length - known.size;
    if (undecided > 0)
      this.logger.warn(
        { undecided, partition: positions[0]?.partition, from: positions[0]?.offset },
        'the history does not say whether events are repeats: they are replayed',
      );
    return new Set([...known].filter(([, duplicate]) => duplicate).map(([offset]) => offset));
  }

  /** By offset, for those that are decided: whether it is a repeat. */
  private async look(positions: readonly LogPosition[]): Promise<Map<number, boolean>> {
    const partition = positions[0]?.partition;
    if (partition === undefined) return new Map();
    const times = positions.map(({ at }) => at);
    const rows = await this.database.query<{ offset: string; duplicate: boolean }[]>(DECIDED, [
      partition,
      positions.map(({ offset }) => offset),
      new Date(times.reduce((a, b) => Math.min(a, b))),
      new Date(times.reduce((a, b) => Math.max(a, b))),
    ]);
    return new Map(rows.map((row) => [Number(row.offset), row.duplicate]));
  }

  private pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.clock.after(LOOK_MS, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}

/** An event that matched exactly one subscription has no row of its own: its delivery says so. */
const DECIDED = `
  SELECT "offset", duplicate_of IS NOT NULL AS duplicate FROM event_routes
   WHERE partition = $1 AND "offset" = ANY($2::bigint[]) AND appended_at BETWEEN $3 AND $4
  UNION ALL
  SELECT event_offset, false FROM deliveries
   WHERE event_partition = $1 AND event_offset = ANY($2::bigint[]) AND event_at BETWEEN $3 AND $4 AND sole_match`;
