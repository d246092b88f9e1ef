import type { OffsetRange } from '@hookline/kafka';
import type { Ledger, Look } from './ledger.js';
import type { Matching } from './matching.js';
import type { EndState, Proof } from './verdict.js';

/** What can't be told any more, of one partition. */
export interface UnknownRange {
  proof: Proof;
  partition: number;
  /** Both inclusive. */
  first: number;
  last: number;
  /** Append times of those two, ms since the epoch. */
  firstAt: number;
  lastAt: number;
  deliveries: number;
}

/** A subscription of which nobody knows what it took below an offset: events there are judged by its first version that is known. */
export interface Forgotten {
  subscriptionId: string;
  partition: number;
  below: number;
}

/** The states of all deliveries of a range, and what proves them. */
export interface Summary {
  deliveries: number;
  states: Record<EndState, { total: number; proofs: Partial<Record<Proof, number>> }>;
  bySubscription: Map<string, Partial<Record<EndState, number>>>;
  unknown: UnknownRange[];
}

const STATES: readonly EndState[] = ['delivered', 'dead-lettered', 'held', 'pending', 'unknown', 'missing'];

export function summarize(ledger: Ledger, look: Look): Summary {
  const states = Object.fromEntries(STATES.map((state) => [state, { total: 0, proofs: {} }])) as Summary['states'];
  const summary: Summary = { deliveries: 0, states, bySubscription: new Map(), unknown: [] };
  const ranges = new Map<string, UnknownRange>();
  ledger.each(look, (pair, verdict) => {
    const isOnce = verdict.state === 'missing' && !ledger.isConfirmed(pair.row);
    const { state, proof } = isOnce ? SEEN_ONCE : verdict;
    summary.deliveries += 1;
    const { proofs } = summary.states[state];
    summary.states[state].total += 1;
    proofs[proof] = (proofs[proof] ?? 0) + 1;
    const { id } = pair.subscribed;
    let its = summary.bySubscription.get(id);
    if (its === undefined) summary.bySubscription.set(id, (its = {}));
    its[state] = (its[state] ?? 0) + 1;
    if (state === 'unknown') widen(ranges, proof, pair);
  });
  summary.unknown = [...ranges.values()];
  return summary;
}

/** Missing in the last look, and not in the one before: it moves, and nobody has looked at it twice. */
const SEEN_ONCE = { state: 'unknown', proof: 'seen-once' } as const;

function widen(
  ranges: Map<string, UnknownRange>,
  proof: Proof,
  { partition, offset, at }: { partition: number; offset: number; at: number },
): void {
  const key = `${proof} ${partition}`;
  const known = ranges.get(key);
  if (known === undefined)
    ranges.set(key, { proof, partition, first: offset, last: offset, firstAt: at, lastAt: at, deliveries: 1 });
  // They come in the order of the log.
  else Object.assign(known, { last: offset, lastAt: at, deliveries: known.deliveries + 1 });
}

export function forgottenOf(matching: Matching, ranges: readonly OffsetRange[]): Forgotten[] {
  return matching.subscriptions.flatMap((subscribed) =>
    ranges.flatMap(({ partition, from }) => {
      const below = matching.forgottenBelow(subscribed, partition);
      return below !== undefined && from < below ? [{ subscriptionId: subscribed.id, partition, below }] : [];
    }),
  );
}
