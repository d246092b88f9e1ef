import type { OffsetRange } from '@hookline/kafka';

/** Offsets that are so near that what lies between them is read, too. */
const GAP = 2_000;
/** Each reading begins anew, which takes longer than to read some thousand records. */
const MOST_READINGS = 50;

/**
 * Ranges around offsets, with as little besides as few readings can have.
 * @param offsets ascending, by partition
 * @returns for each reading one range of each partition at most
 */
export function runsAround(offsets: ReadonlyMap<number, readonly number[]>): OffsetRange[][] {
  const readings: OffsetRange[][] = [];
  for (const [partition, its] of offsets) {
    const runs = runsOf(its);
    const whole = { from: runs[0]?.from ?? 0, to: runs.at(-1)?.to ?? 0 };
    (runs.length > MOST_READINGS ? [whole] : runs).forEach((run, i) => {
      (readings[i] ??= []).push({ partition, ...run });
    });
  }
  return readings;
}

function runsOf(offsets: readonly number[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const offset of offsets) {
    const last = runs.at(-1);
    if (last !== undefined && offset - last.to <= GAP) last.to = offset + 1;
    else runs.push({ from: offset, to: offset + 1 });
  }
  return runs;
}
