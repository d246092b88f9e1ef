import { WIDE_MOST_SUBSCRIPTIONS } from '@hookline/contracts';

/** What is handed over in one record: those of the subscriptions that an event matched which are in one lane partition. */
export interface WidePiece {
  readonly partition: number;
  readonly subscriptionIds: readonly string[];
  /** Of the same subscriptions the same, whoever divides them. */
  readonly name: string;
}

/**
 * Divides a wide event among the lane partitions, into as few records as they take. Where the same subscriptions
 * match again, on whichever worker, the pieces are the same.
 * @param partitionOf a subscription's partition in every lane
 */
export function widePieces(
  subscriptionIds: readonly string[],
  partitionOf: (subscriptionId: string) => number,
): WidePiece[] {
  const byPartition = new Map<number, string[]>();
  for (const id of subscriptionIds.toSorted()) {
    const partition = partitionOf(id);
    const ids = byPartition.get(partition);
    if (ids === undefined) byPartition.set(partition, [id]);
    else ids.push(id);
  }
  const pieces: WidePiece[] = [];
  for (const [partition, ids] of byPartition) {
    for (let from = 0; from < ids.length; from += WIDE_MOST_SUBSCRIPTIONS) {
      const piece = ids.slice(from, from + WIDE_MOST_SUBSCRIPTIONS);
      pieces.push({ partition, subscriptionIds: piece, name: piece.join() });
    }
  }
  return pieces;
}
