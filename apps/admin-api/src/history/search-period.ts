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
   * @throws ProblemError 400 for one that is turned around
   */
  of({ from, to }: { from?: Timestamp | undefined; to?: Timestamp | undefined }): { from: Date; to: Date | undefined } {
    const end = to === undefined ? undefined : millisOf(to);
    const begin = from === undefined ? (end ?? this.clock.now()) - this.rangeMs : millisOf(from);
    if (end !== undefined && begin > end) throw invalid({ field: 'from', message: 'is after to' });
    return { from: new Date(Math.max(0, begin)), to: end === undefined ? undefined : new Date(end) };
  }
}
