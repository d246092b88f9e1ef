import type { FieldError } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import type { ReplayRange } from '@hookline/persistence';
import { invalid } from '../http/problems.js';
import { millisOf } from '../topics/timestamp.js';
import type { Boundary, CreateReplay } from './replays.schemas.js';

/** What is asked of the log. */
export interface LogBounds {
  bounds(topic: string): Promise<PartitionOffsets[]>;
  at(topic: string, timestamp: number): Promise<Map<number, number>>;
}

/**
 * The offsets that a replay reads, by partition: of those that `from` names, else of those that `to` names, else of
 * all. They are fixed here, once: a replay that is resumed reads the same.
 * @throws ProblemError 400 that names what is wrong, and what the log has
 */
export async function resolveRanges(log: LogBounds, request: CreateReplay): Promise<Record<string, ReplayRange>> {
  const { topic, from, to } = request;
  const bounds = new Map((await log.bounds(topic)).map((bound) => [bound.partition, bound]));
  const faults = [...faultsOf('from', from, bounds), ...(to ? faultsOf('to', to, bounds) : [])];
  if (faults.length === 0) faults.push(...contradictions(from, to));
  if (faults.length > 0) throw invalid(...faults);

  const begins = await offsetsAt(log, topic, from);
  const ends = to && (await offsetsAt(log, topic, to));
  const ranges: Record<string, ReplayRange> = {};
  for (const partition of namedIn(from) ?? namedIn(to) ?? bounds.keys()) {
    const { low, high } = bounds.get(partition) as PartitionOffsets;
    const begin = clamp(begins.get(partition) ?? low, low, high);
    // The log may have grown since its end was asked for.
    const end = clamp(ends?.get(partition) ?? high, low, high);
    if (begin > end)
      throw invalid({
        field: `from.offsets.${partition}`,
        message: `${begin} is after the end of the range, ${end}; the log has ${low} to ${high}`,
      });
    ranges[partition] = { from: begin, next: begin, to: end };
  }
  return ranges;
}

function faultsOf(
  field: 'from' | 'to',
  boundary: Boundary,
  bounds: ReadonlyMap<number, PartitionOffsets>,
): FieldError[] {
  if (!('offsets' in boundary)) return [];
  return Object.entries(boundary.offsets).flatMap(([partition, offset]): FieldError[] => {
    const name = `${field}.offsets.${partition}`;
    const bound = bounds.get(Number(partition));
    if (bound === undefined)
      return [{ field: name, message: `there is no such partition; the topic has 0 to ${bounds.size - 1}` }];
    if (offset >= bound.low && offset <= bound.high) return [];
    const message = `${offset} is out of the log's range; it has ${bound.low} to ${bound.high} (exclusive)`;
    return [{ field: name, message, limit: offset < bound.low ? bound.low : bound.high }];
  });
}

function contradictions(from: Boundary, to: Boundary | undefined): FieldError[] {
  if (to === undefined) return [];
  if ('timestamp' in from && 'timestamp' in to && millisOf(from.timestamp) > millisOf(to.timestamp))
    return [{ field: 'from.timestamp', message: 'is after to.timestamp' }];
  if (!('offsets' in from && 'offsets' in to)) return [];
  return Object.entries(to.offsets).flatMap(([partition, end]): FieldError[] => {
    const begin = from.offsets[partition];
    if (begin === undefined)
      return [{ field: `to.offsets.${partition}`, message: 'from does not name this partition, so it is not read' }];
    return begin > end ? [{ field: `from.offsets.${partition}`, message: `${begin} is after to, ${end}` }] : [];
  });
}

async function offsetsAt(log: LogBounds, topic: string, boundary: Boundary): Promise<Map<number, number>> {
  if ('timestamp' in boundary) return log.at(topic, millisOf(boundary.timestamp));
  return new Map(Object.entries(boundary.offsets).map(([partition, offset]) => [Number(partition), offset]));
}

function namedIn(boundary: Boundary | undefined): number[] | undefined {
  return boundary && 'offsets' in boundary ? Object.keys(boundary.offsets).map(Number) : undefined;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
