import { decodeEventHeaders, readable, type EventEnvelope, type LogPosition } from '@hookline/contracts';
import { deliveryIdOf, SubscriptionIndex, type Matchable } from '@hookline/domain';
import type { OffsetRange, ReadBatch, ReadRecord } from '@hookline/kafka';
import { takesAt } from './held-version.js';
import type { Slice } from './slices.js';

/** An event that a subscription takes by the version that holds at its offset. */
export interface Candidate {
  slice: Slice & { epoch: number };
  record: ReadRecord;
  event: EventEnvelope;
  position: LogPosition;
  deliveryId: string;
}

interface Sliced extends Matchable {
  slices: (Slice & { epoch: number })[];
}

/** Finds the slices of an event, of many slices at a time. */
export class SliceMatcher {
  private readonly index = new SubscriptionIndex<Sliced>();

  constructor(slices: readonly (Slice & { epoch: number })[]) {
    const bySubscription = new Map<string, Sliced>();
    for (const slice of slices) {
      const types = slice.versions.flatMap((version) => version.types);
      const known = bySubscription.get(slice.subscriptionId);
      bySubscription.set(slice.subscriptionId, {
        id: slice.subscriptionId,
        tenant: slice.tenantId,
        types: [...new Set([...(known?.types ?? []), ...types])],
        slices: [...(known?.slices ?? []), slice],
      });
    }
    for (const sliced of bySubscription.values()) this.index.add(sliced);
  }

  /** In the order of the log, each delivery once. */
  candidates({ records }: ReadBatch): Candidate[] {
    return records.flatMap((record) => {
      const event = eventOf(record);
      if (event === undefined) return [];
      const { partition, offset, timestamp } = record;
      return this.index.match(event.tenant, event.type).flatMap(({ id, slices }) => {
        const slice = slices.find(
          (each) =>
            offset >= (each.partitions?.[partition]?.next ?? Infinity) &&
            offset < (each.partitions?.[partition]?.to ?? 0) &&
            takesAt(each, partition, offset, event.type),
        );
        if (slice === undefined) return [];
        const position = { partition, offset, at: timestamp };
        return [{ slice, record, event, position, deliveryId: deliveryIdOf(event, position, id) }];
      });
    });
  }
}

/** What an unreadable record would have matched, nobody can say: the worker that reads it dead-letters it. */
function eventOf(record: ReadRecord): EventEnvelope | undefined {
  return readable(() => decodeEventHeaders(record.headers));
}

/** Slices that are so near that what lies between them is read, too. */
const GAP = 10_000;

/**
 * For each partition one range, for as many slices as are near each other, from the earliest on. The others' turn comes in
 * a later round.
 */
export function sharedRanges(slices: readonly Slice[]): OffsetRange[] {
  const byPartition = new Map<number, { next: number; to: number }[]>();
  for (const { partitions } of slices)
    for (const [partition, range] of Object.entries(partitions ?? {}))
      if (range.next < range.to)
        byPartition.set(Number(partition), [...(byPartition.get(Number(partition)) ?? []), range]);
  return [...byPartition].map(([partition, ranges]) => {
    const [first, ...others] = ranges.sort((a, b) => a.next - b.next) as [{ next: number; to: number }];
    let { to } = first;
    for (const each of others as { next: number; to: number }[]) {
      if (each.next > to + GAP) break;
      to = Math.max(to, each.to);
    }
    return { partition, from: first.next, to };
  });
}
