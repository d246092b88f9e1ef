/** Whose retention a range has fallen to: the log's, before the recorder had read it; or that of history. */
export type GapReason = 'log-retention' | 'history-retention';

/** What history notes that it does not have of a partition: offsets, `from` inclusive, `to` exclusive. */
export interface NotedGap {
  from: number;
  to: number;
  reason: GapReason;
  /** Append times of its first and last event where they are known, ms since the epoch. */
  fromAt: number | null;
  toAt: number | null;
}

/** A range that a reader of the stream can't have any more. */
export interface StreamGap extends NotedGap {
  partition: number;
}

/**
 * What of a partition is gone right where a reader stands, in order and without overlaps; empty where nothing is. Below a
 * dropped day everything is gone, for days are dropped oldest first.
 */
export function gapsAt(partition: number, next: number, noted: readonly NotedGap[]): StreamGap[] {
  const gaps: StreamGap[] = [];
  for (let position = next; ;) {
    const gap = covering(position, noted);
    if (gap === undefined) return gaps;
    const last = gaps.at(-1);
    if (last?.reason === gap.reason) Object.assign(last, { to: gap.to, toAt: gap.toAt });
    else gaps.push({ ...gap, partition, from: position });
    position = gap.to;
  }
}

function covering(position: number, noted: readonly NotedGap[]): NotedGap | undefined {
  const known = noted.filter(({ to }) => to > position);
  return (
    known.find(({ from, reason }) => from <= position && reason === 'log-retention') ??
    known
      .filter(({ reason }) => reason === 'history-retention')
      .reduce<NotedGap | undefined>((first, gap) => (first && first.to <= gap.to ? first : gap), undefined)
  );
}
