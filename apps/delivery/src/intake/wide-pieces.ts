import { WIDE_MOST_SUBSCRIPTIONS } from '@hookline/contracts';

/** What is handed over in one record: those of the subscriptions that an event matched which are in one lane partition, and one epoch. */
export interface WidePiece {
  readonly partition: number;
  readonly epoch: number;
  readonly subscriptionIds: readonly string[];
  /** Of the same subscriptions the same, whoever divides them. */
  readonly name: string;
}

interface Member {
  readonly id: string;
  readonly record: { readonly epoch?: number };
}

/**
 * Divides a wide event among the lane partitions, into as few records as they take: most subscriptions have never caught
 * up, and are of epoch 0. Where the same subscriptions match again, on whichever worker, the pieces are the same.
 * @param partitionOf a subscription's partition in every lane
 */
export function widePieces(members: readonly Member[], partitionOf: (subscriptionId: string) => number): WidePiece[] {
  const groups = new Map<string, { partition: number; epoch: number; ids: string[] }>();
  for (const { id, record } of members.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const partition = partitionOf(id);
    const { epoch = 0 } = record;
    const group = groups.get(`${partition} ${epoch}`);
    if (group === undefined) groups.set(`${partition} ${epoch}`, { partition, epoch, ids: [id] });
    else group.ids.push(id);
  }
  const pieces: WidePiece[] = [];
  for (const { partition, epoch, ids } of groups.values()) {
    for (let from = 0; from < ids.length; from += WIDE_MOST_SUBSCRIPTIONS) {
      const subscriptionIds = ids.slice(from, from + WIDE_MOST_SUBSCRIPTIONS);
      pieces.push({ partition, epoch, subscriptionIds, name: subscriptionIds.join() });
    }
  }
  return pieces;
}
