/** An event that was found, without the rest of it. */
export interface FoundHead {
  offset: number;
  /** Append time, ms since the epoch. */
  at: number;
}

/** What was found in one partition, from the top of what was not looked at yet down to `low`. */
export interface LookedThrough {
  partition: number;
  /** The last offset that was looked at, if there were not too many. */
  low: number;
  /** The append time of what comes next below, ms since the epoch; undefined where nothing does. */
  below: number | undefined;
  /** Newest first, and no more of them than a page has. */
  heads: readonly FoundHead[];
}

export interface SearchPage {
  /** The events of the page, newest first. */
  take: (FoundHead & { partition: number })[];
  /** By partition, above which offset nothing is left (exclusive); without those in which nothing is left at all. */
  tops: Map<number, number>;
}

/**
 * Merges the partitions into a page that is in order, though each was looked through to another time: nothing is taken that
 * is older than what another partition may still have.
 * @param limit events of a page; a partition with so many heads has not been looked through to its `low`
 */
export function searchPage(partitions: readonly LookedThrough[], limit: number): SearchPage {
  const known = Math.max(...partitions.map((lane) => knownSince(lane, limit)), -Infinity);
  const take = partitions
    .flatMap(({ partition, heads }) => heads.map((head) => ({ partition, ...head })))
    .filter(({ at }) => at >= known)
    .sort((a, b) => b.at - a.at || b.partition - a.partition || b.offset - a.offset)
    .slice(0, limit);
  const tops = new Map<number, number>();
  for (const { partition, low, below, heads } of partitions) {
    const taken = new Set(take.filter((head) => head.partition === partition).map(({ offset }) => offset));
    const left = heads.find(({ offset }) => !taken.has(offset));
    const isFull = heads.length >= limit;
    if (left !== undefined) tops.set(partition, left.offset + 1);
    else if (isFull) tops.set(partition, heads.at(-1)?.offset ?? low);
    else if (below !== undefined) tops.set(partition, low);
  }
  return { take, tops };
}

/** Everything of a partition that is newer than this was found. */
function knownSince({ heads, below }: LookedThrough, limit: number): number {
  const last = heads.at(-1);
  if (last !== undefined && heads.length >= limit) return last.at;
  return below ?? -Infinity;
}
