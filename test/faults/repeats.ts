import type { Repeat } from './receivers/endpoint-log.js';

/** ms since the epoch. */
export interface Span {
  from: number;
  to: number;
}

/** A delivery, as long as a worker that loses its partition may leave it to be done again. */
export interface Delivery {
  eventId: string;
  /** When it was first published, and first accepted; ms since the epoch. */
  publishedAt: number;
  acceptedAt: number;
}

/**
 * What was accepted so long ago is committed: the intervals of the outcomes and of the commits, and the way of both into
 * Kafka on a machine that is busy.
 */
const COMMITTED_MS = 5_000;

/**
 * Whether the delivery could be under way, or done and not committed yet, while workers lost their partitions. No other one
 * may be repeated, however many there are of these.
 */
export function isLoose({ publishedAt, acceptedAt }: Delivery, spans: readonly Span[]): boolean {
  return spans.some(({ from, to }) => publishedAt <= to && acceptedAt >= from - COMMITTED_MS);
}

/** Those that nothing explains, one line each. */
export function unexplained(
  subscription: string,
  repeats: readonly Repeat[],
  spans: readonly Span[],
  publishedAt: (eventId: string) => number,
): string[] {
  return repeats
    .filter(
      ({ eventId, before }) => !isLoose({ eventId, publishedAt: publishedAt(eventId), acceptedAt: before }, spans),
    )
    .map(
      ({ eventId, before, again }) =>
        `${subscription}: ${eventId}, accepted at ${timeOf(before)} and again at ${timeOf(again)}`,
    );
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 23);
