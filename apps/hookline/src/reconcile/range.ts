import type { OffsetRange, PartitionOffsets } from '@hookline/kafka';
import { UsageError } from '../cli/usage-error.js';

/** One end of the range: a time (ms since the epoch), or an offset for each partition that is named. */
export type Boundary = { at: number } | { offsets: ReadonlyMap<number, number> };

const OFFSETS = /^\d{1,9}:\d{1,15}(,\d{1,9}:\d{1,15})*$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i;

/** @throws UsageError naming the option */
export function parseBoundary(text: string | undefined, option: string): Boundary | undefined {
  if (text === undefined) return undefined;
  if (OFFSETS.test(text)) return { offsets: offsetsIn(text, option) };
  const at = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new UsageError(
      `${option} is an RFC 3339 time with its zone (2026-01-31T12:00:00Z), or offsets (partition:offset,…), not ${text}.`,
    );
  return { at };
}

function offsetsIn(text: string, option: string): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const each of text.split(',')) {
    const [partition, offset] = each.split(':').map(Number) as [number, number];
    if (offsets.has(partition)) throw new UsageError(`${option} names partition ${partition} twice.`);
    offsets.set(partition, offset);
  }
  return offsets;
}

/** What the log has, and what stands where at a time. */
export interface RangeLog {
  bounds(): Promise<readonly PartitionOffsets[]>;
  /** The first offset at or after a time, by partition; the end where there is none. */
  at(time: number): Promise<ReadonlyMap<number, number>>;
}

export interface ResolvedRange {
  ranges: OffsetRange[];
  /** What was asked for and is not in the log any more. */
  gone: OffsetRange[];
}

/**
 * Offsets of each partition. Where one end names partitions, no others are read.
 * @throws UsageError naming the option, for what the log never had
 */
export async function resolveRange(
  from: Boundary | undefined,
  to: Boundary | undefined,
  log: RangeLog,
): Promise<ResolvedRange> {
  const bounds = await log.bounds();
  const named = [from, to].flatMap((each) => (each && 'offsets' in each ? [each.offsets] : []));
  const begins = await offsetsOf(from, '--from', bounds, log);
  const ends = await offsetsOf(to, '--to', bounds, log);
  const resolved: ResolvedRange = { ranges: [], gone: [] };
  for (const { partition, low, high } of bounds) {
    if (named.length > 0 && !named.some((offsets) => offsets.has(partition))) continue;
    const begin = begins.get(partition) ?? low;
    const end = Math.min(ends.get(partition) ?? high, high);
    if (begin > end)
      throw new UsageError(`--from (${begin}) is behind --to (${end}) in partition ${partition} of hookline.events.`);
    if (begin < low) resolved.gone.push({ partition, from: begin, to: Math.min(low, end) });
    if (Math.max(begin, low) < end) resolved.ranges.push({ partition, from: Math.max(begin, low), to: end });
  }
  return resolved;
}

async function offsetsOf(
  boundary: Boundary | undefined,
  option: string,
  bounds: readonly PartitionOffsets[],
  log: RangeLog,
): Promise<ReadonlyMap<number, number>> {
  if (boundary === undefined) return new Map();
  if ('at' in boundary) return log.at(boundary.at);
  for (const [partition, offset] of boundary.offsets) {
    const bound = bounds.find((each) => each.partition === partition);
    if (bound === undefined)
      throw new UsageError(`${option} names partition ${partition}; hookline.events has 0 to ${bounds.length - 1}.`);
    if (offset > bound.high)
      throw new UsageError(`${option} names offset ${offset} of partition ${partition}, which ends at ${bound.high}.`);
  }
  return boundary.offsets;
}
