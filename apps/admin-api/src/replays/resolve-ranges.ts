import type { FieldError, LogPosition } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import type { ReplayRange } from '@hookline/persistence';
import { invalid } from '../http/problems.js';
import type { Place } from './boundaries.js';

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
export async function resolveRanges(
  log: LogBounds,
  topic: string,
  from: Place,
  to: Place | undefined,
): Promise<Record<string, ReplayRange>> {
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

function faultsOf(field: 'from' | 'to', place: Place, bounds: ReadonlyMap<number, PartitionOffsets>): FieldError[] {
  if (place.by === 'event') return faultsOfEvent(field, place.position, bounds);
  if (place.by !== 'offsets') return [];
  return Object.entries(place.offsets).flatMap(([partition, offset]): FieldError[] => {
    const name = `${field}.offsets.${partition}`;
    const bound = bounds.get(Number(partition));
    if (bound === undefined)
      return [{ field: name, message: `there is no such partition; the topic has 0 to ${bounds.size - 1}` }];
    if (offset >= bound.low && offset <= bound.high) return [];
    const message = `${offset} is out of the log's range; it has ${bound.low} to ${bound.high} (exclusive)`;
    return [{ field: name, message, limit: offset < bound.low ? bound.low : bound.high }];
  });
}

function faultsOfEvent(
  field: 'from' | 'to',
  { partition, offset }: LogPosition,
  bounds: ReadonlyMap<number, PartitionOffsets>,
): FieldError[] {
  const low = bounds.get(partition)?.low ?? 0;
  if (offset >= low) return [];
  const message = `the log has let go of it: it was ${offset} of partition ${partition}, which begins at ${low} now`;
  return [{ field: `${field}.eventId`, message, limit: low }];
}

/** Those that are compared by time, and their names in the request. */
function timeOf(place: Place): { at: number; name: string } | undefined {
  if (place.by === 'time') return { at: place.at, name: 'timestamp' };
  return place.by === 'event' ? { at: place.position.at, name: 'eventId' } : undefined;
}

function contradictions(from: Place, to: Place | undefined): FieldError[] {
  if (to === undefined) return [];
  const [first, last] = [timeOf(from), timeOf(to)];
  if (first && last && first.at > last.at)
    return [{ field: `from.${first.name}`, message: `is after to.${last.name}` }];
  if (!(from.by === 'offsets' && to.by === 'offsets')) return [];
  return Object.entries(to.offsets).flatMap(([partition, end]): FieldError[] => {
    const begin = from.offsets[partition];
    if (begin === undefined)
      return [{ field: `to.offsets.${partition}`, message: 'from does not name this partition, so it is not read' }];
    return begin > end ? [{ field: `from.offsets.${partition}`, message: `${begin} is after to, ${end}` }] : [];
  });
}

async function offsetsAt(log: LogBounds, topic: string, place: Place): Promise<Map<number, number>> {
  if (place.by === 'time') return log.at(topic, place.at);
  if (place.by === 'event') {
    const offsets = await log.at(topic, place.position.at);
    return offsets.set(place.position.partition, place.position.offset);
  }
  return new Map(Object.entries(place.offsets).map(([partition, offset]) => [Number(partition), offset]));
}

function namedIn(place: Place | undefined): number[] | undefined {
  return place?.by === 'offsets' ? Object.keys(place.offsets).map(Number) : undefined;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
