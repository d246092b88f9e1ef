import type { Clock } from '@hookline/platform';
import { invalid } from '../http/problems.js';
import { millisOf, type Timestamp } from '../topics/timestamp.js';

/** The time that a search is about, so that it looks at the days of that only. */
export class SearchPeriod {
  /** @param rangeMs how far back it goes where that is not said */
  constructor(
    private readonly clock: Clock,
    private readonly rangeMs: number,
  ) {}

  /**
   * What is appended while it is read belongs to it, where its end is not said.
   * @param before where its beginning is not said, from when it is counted back; left out: from its end
   * @throws ProblemError 400 for one that is turned around
   */
  of(
    { from, to }: { from?: Timestamp | undefined; to?: Timestamp | undefined },
    before = to,
  ): { from: Date; to: Date | undefined } {
    const end = to === undefined ? undefined : millisOf(to);
    const last = before === undefined ? this.clock.now() : millisOf(before);
    const begin = from === undefined ? Math.min(last, end ?? last) - this.rangeMs : millisOf(from);
    if (end !== undefined && begin > end) throw invalid({ field: 'from', message: 'is after to' });
    return { from: new Date(Math.max(0, begin)), to: end === undefined ? undefined : new Date(end) };
  }
}
