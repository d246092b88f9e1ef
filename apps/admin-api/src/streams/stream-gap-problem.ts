import type { PartitionOffsets } from '@hookline/kafka';
import type { StreamGap } from '@hookline/persistence';
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
  return new ProblemError(
    410,
    'gap',
    'Events between the cursor and what can still be read are gone',
    { detail, gaps: views, cursor, refetch: REFETCH },
    { link: `<${REFETCH}>; rel="help"` },
  );
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
