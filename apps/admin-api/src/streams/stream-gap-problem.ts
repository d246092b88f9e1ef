import type { PartitionOffsets } from '@hookline/kafka';
import type { StreamGap, StreamPosition } from '@hookline/persistence';
import { ProblemError } from '@hookline/platform';
import type { GapProblem } from './streams.schemas.js';

const REFETCH = 'https://hookline.dev/docs/streams#after-a-gap';

/** What stands beside a gap: append times, ms since the epoch, of the last event before and the first one behind it. */
export interface GapEdges {
  before: number | null;
  after: number | null;
}

/**
 * @param edges of the gaps, in their order
 * @param bounds of the log; undefined where Kafka does not answer
 * @param cursor goes on behind the gaps
 */
export function gapProblem(
  gaps: readonly StreamGap[],
  edges: readonly GapEdges[],
  bounds: readonly PartitionOffsets[] | undefined,
  cursor: string,
): ProblemError {
  const views = gaps.map((gap, index) => viewOf(gap, edges[index], bounds));
  const detail = `Of ${new Set(gaps.map(({ partition }) => partition)).size} partition(s) something is gone: \`gaps\` says what, \`cursor\` goes on behind it.`;
  return gone('Events between the cursor and what can still be read are gone', detail, views, cursor);
}

/**
 * The log that the cursor is of isn't there any more, and nobody knows how far it went.
 * @param position of the cursor, in that log
 * @param cursor begins with the first event that history has
 */
export function otherClusterProblem(position: StreamPosition, cursor: string): ProblemError {
  const views = [...position].map(([partition, from]) => ({
    ...{ partition, from, to: null, fromTime: null, toTime: null },
    ...{ reason: 'other-cluster' as const, inLog: null },
  }));
  const detail = 'The log that it stood in is gone as a whole: `cursor` begins with the first event of this one.';
  return gone('The cursor is of another Kafka cluster', detail, views, cursor);
}

function gone(title: string, detail: string, gaps: GapProblem['gaps'], cursor: string): ProblemError {
  const link = `<${REFETCH}>; rel="help"`;
  return new ProblemError(410, 'gap', title, { detail, gaps, cursor, refetch: REFETCH }, { link });
}

function viewOf(
  { partition, from, to, fromAt, toAt, reason }: StreamGap,
  edges: GapEdges | undefined,
  bounds: readonly PartitionOffsets[] | undefined,
): GapProblem['gaps'][number] {
  const low = bounds?.find((one) => one.partition === partition)?.low;
  return {
    partition,
    from,
    to,
    fromTime: timeOf(fromAt ?? edges?.before),
    toTime: timeOf(toAt ?? edges?.after),
    reason,
    inLog: low === undefined || low >= to ? null : { from: Math.max(from, low), to },
  };
}

function timeOf(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : new Date(at).toISOString();
}
