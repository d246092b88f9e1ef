import type { HeldRangeReason, LogPosition } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import { buryAll, endOf, heldRangeLetter, type LostDelivery, type LostRange } from './letters.js';

/** A delivery that ends on its own, and nobody has the data of its event to put into a letter. */
export interface BuriedDelivery extends LostDelivery {
  subscriptionId: string;
  /** Since when it waits. */
  since: Date;
  /** A letter for a range has it already: it only needs its end. */
  hasLetter?: boolean;
}

/** A delivery whose event was read in the log and can't be brought; it counts in no replay. It waits since its event came. */
export function buriedOf(subscriptionId: string, event: LostDelivery['event'], position: LogPosition): BuriedDelivery {
  return { subscriptionId, event, position, replayId: null, since: new Date(position.at) };
}

/**
 * Ends deliveries that were found one by one: a dead letter for each run of neighbours in the log, and then the end of each,
 * for history. What history does not know as ended after a crash is written again; the letters of the same range are one
 * in the list.
 */
export async function buryEach(
  output: Output,
  deliveries: readonly BuriedDelivery[],
  reason: HeldRangeReason,
  signal: AbortSignal,
): Promise<void> {
  const withoutLetter = deliveries.filter(({ hasLetter }) => hasLetter !== true);
  const letters = runsOf(withoutLetter).map(({ of: { subscriptionId, event, since }, range }) =>
    heldRangeLetter({ subscriptionId, tenantId: event.tenant, since }, range, reason),
  );
  const ends = deliveries.map((delivery) => endOf(delivery, delivery.subscriptionId, reason));
  await buryAll(output, letters, ends, signal);
}

/** Neighbours in the log get one letter. */
function runsOf(deliveries: readonly BuriedDelivery[]): { of: BuriedDelivery; range: LostRange }[] {
  const runs: { of: BuriedDelivery; range: LostRange }[] = [];
  for (const delivery of deliveries.toSorted(inTheLog)) {
    const { partition, offset } = delivery.position;
    const last = runs.at(-1);
    const isNext =
      last?.of.subscriptionId === delivery.subscriptionId &&
      last.range.partition === partition &&
      last.range.to === offset;
    if (isNext) last.range.to = offset + 1;
    else runs.push({ of: delivery, range: { partition, from: offset, to: offset + 1 } });
  }
  return runs;
}

/** By subscription, in the order of the log. */
function inTheLog(a: BuriedDelivery, b: BuriedDelivery): number {
  if (a.subscriptionId !== b.subscriptionId) return a.subscriptionId < b.subscriptionId ? -1 : 1;
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}
