import type { Sent } from '../load/publishers.js';
import type { ReceiverReport } from '../receiver/receiver.js';

/**
 * How many webhooks arrived, of whatever event, while each of these was on its way: from the answer to its publish to its
 * own arrival. Unlike a time it says how the turns went also where the machine is slow; those that did not come are left
 * out.
 */
export function overtakenBy(sent: readonly Sent[], { events }: ReceiverReport): number[] {
  const came = new Map(events.map(([id, at]) => [id, at]));
  const arrivals = Float64Array.from(came.values()).sort();
  return sent.flatMap(({ id, end }) => {
    const at = came.get(id);
    return at === undefined ? [] : [Math.max(0, countBelow(arrivals, at) - countBelow(arrivals, end))];
  });
}

/** How many a second arrived in this time of the shared clock, ms. */
export function paceOf({ events }: ReceiverReport, from: number, to: number): number {
  const arrived = events.filter(([, at]) => at >= from && at < to).length;
  return (arrived * 1_000) / (to - from);
}

/** How many of the sorted are below. */
function countBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
