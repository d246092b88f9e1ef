import type { OffsetRun } from '@hookline/domain';

/** What isn't complete between the two offsets. @param complete ascending, apart from one another */
export function openRuns(from: number, to: number, complete: readonly OffsetRun[]): OffsetRun[] {
  const open: OffsetRun[] = [];
  let at = from;
  for (const run of complete) {
    if (run.from >= to) break;
    if (run.from > at) open.push({ from: at, to: run.from });
    at = Math.max(at, run.to);
  }
  if (at < to) open.push({ from: at, to });
  return open;
}
