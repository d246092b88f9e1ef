import { decodeDeadLetterHeaders, TOPICS } from '@hookline/contracts';
import { RangeReader, type PartitionOffsets } from '@hookline/kafka';
import type { Site } from './site/site.js';

/** The dead letters of some subscriptions, read from their topic as it grows. */
export class DeadLetters {
  /** By subscription: the ids of the events. */
  private readonly found = new Map<string, Set<string>>();
  private readonly next = new Map<number, number>();

  constructor(private readonly site: Site) {}

  /** Reads no further back than what there is now. */
  async begin(): Promise<void> {
    for (const { partition, high } of await this.bounds()) this.next.set(partition, high);
  }

  of(subscriptionId: string): ReadonlySet<string> {
    return this.found.get(subscriptionId) ?? new Set();
  }

  /** Takes in what there is by now. */
  async update(): Promise<void> {
    const bounds = await this.bounds();
    const ranges = bounds.map(({ partition, low, high }) => ({
      partition,
      from: Math.max(low, this.next.get(partition) ?? 0),
      to: high,
    }));
    for await (const { partition, records, next } of new RangeReader(this.site.brokers.client).read(
      TOPICS.deadLetters,
      ranges,
    )) {
      this.next.set(partition, next);
      for (const { headers } of records) this.take(headers);
    }
  }

  private take(headers: Readonly<Record<string, unknown>>): void {
    // A range that was held and that the log has let go of; nothing is held here.
    if (headers['held-range'] !== undefined) return;
    const { delivery } = decodeDeadLetterHeaders(headers);
    const ids = this.found.get(delivery.subscriptionId) ?? new Set();
    this.found.set(delivery.subscriptionId, ids.add(delivery.event.id));
  }

  private bounds(): Promise<PartitionOffsets[]> {
    return this.site.brokers.bounds(TOPICS.deadLetters);
  }
}
