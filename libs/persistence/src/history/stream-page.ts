/** An event that a page may hold, without its data. */
export interface StreamHead {
  offset: number;
  /** Append time, ms since the epoch. */
  at: number;
  /** Bytes of its data. */
  size: number;
}

/** What was found in one partition between where the reader stood and where the look ended. */
export interface LookedOver {
  partition: number;
  /** Heads were looked for before this offset, but no more of them than a page has. */
  upto: number;
  /** In the order of the log. */
  heads: readonly StreamHead[];
}

export interface PagePlan {
  /** The events of the page, in its order. */
  take: (StreamHead & { partition: number })[];
  /** By partition, what comes next. */
  next: Map<number, number>;
  /** Something that was looked over is left for the next page. */
  more: boolean;
}

/**
 * Merges the partitions into one page: whichever event was appended first goes next, so that none has to wait for
 * another partition that is busier; and the order within each stays that of the log, whatever its times say.
 * @param caps events, and bytes of their data, of a page; one event goes however large it is
 */
export function planPage(partitions: readonly LookedOver[], caps: { limit: number; bytes: number }): PagePlan {
  const lanes = partitions.map((looked) => ({ looked, taken: 0, full: looked.heads.length >= caps.limit }));
  const take: PagePlan['take'] = [];
  let bytes = 0;
  while (take.length < caps.limit) {
    let first: { lane: (typeof lanes)[number]; head: StreamHead } | undefined;
    for (const lane of lanes) {
      const head = lane.looked.heads[lane.taken];
      if (head && (!first || head.at < first.head.at)) first = { lane, head };
    }
    if (!first || (take.length > 0 && bytes + first.head.size > caps.bytes)) break;
    bytes += first.head.size;
    first.lane.taken += 1;
    take.push({ partition: first.lane.looked.partition, ...first.head });
  }
  return {
    take,
    next: new Map(lanes.map(({ looked, taken, full }) => [looked.partition, nextOf(looked, taken, full)])),
    more: lanes.some(({ looked, taken, full }) => full || taken < looked.heads.length),
  };
}

function nextOf({ heads, upto }: LookedOver, taken: number, full: boolean): number {
  const left = heads[taken];
  if (left) return left.offset;
  const last = heads.at(-1);
  return full && last ? last.offset + 1 : upto;
}
