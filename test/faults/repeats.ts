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

/** The intervals of the outcomes and of the commits, and the way of both into Kafka. */
const COMMITTED_MS = 5_000;
/** An outcome and a commit each take as long as a publish, and a worker that is as slow twice that. */
const PUBLISHES = 4;

/**
 * What was accepted so long ago is committed, ms.
 * @param slowestMs what a publish took when no fault had struck: on a machine that is busy all takes longer
 */
export const committedMs = (slowestMs: number): number => Math.max(COMMITTED_MS, PUBLISHES * slowestMs);

/** When workers lost partitions, and from when on before that something may not have been committed. */
export interface Loose {
  spans: readonly Span[];
  committedMs: number;
}

/**
 * Whether the delivery could be under way, or done and not committed yet, while workers lost their partitions. No other one
 * may be repeated, however many there are of these.
 */
export function isLoose({ publishedAt, acceptedAt }: Delivery, loose: Loose): boolean {
  return loose.spans.some(({ from, to }) => publishedAt <= to && acceptedAt >= from - loose.committedMs);
}

/** Those that nothing explains, one line each. */
export function unexplained(
  subscription: string,
  repeats: readonly Repeat[],
  loose: Loose,
  publishedAt: (eventId: string) => number,
): string[] {
  return repeats
    .filter(
      ({ eventId, before }) => !isLoose({ eventId, publishedAt: publishedAt(eventId), acceptedAt: before }, loose),
    )
    .map(
      ({ eventId, before, again }) =>
        `${subscription}: ${eventId}, accepted at ${timeOf(before)} and again at ${timeOf(again)}`,
    );
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 23);
