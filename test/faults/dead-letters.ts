import { decodeDeadLetterHeaders, TOPICS, type HeldRange } from '@hookline/contracts';
import { RangeReader, type PartitionOffsets } from '@hookline/kafka';
import type { GoneRange } from './fault.js';
import type { Site } from './site/site.js';

/** The dead letters of some subscriptions, read from their topic as it grows. */
export class DeadLetters {
  /** By subscription: the ids of the events. */
  private readonly found = new Map<string, Set<string>>();
  /** By subscription: what was held of the log, and will never come. */
  private readonly ranges = new Map<string, GoneRange[]>();
  private readonly next = new Map<number, number>();

  constructor(private readonly site: Site) {}

  /** Reads no further back than what there is now. */
  async begin(): Promise<void> {
    for (const { partition, high } of await this.bounds()) this.next.set(partition, high);
  }

  of(subscriptionId: string): ReadonlySet<string> {
    return this.found.get(subscriptionId) ?? new Set();
  }

  /** Each is one dead letter for all events of a range that the subscription would have got. */
  rangesOf(subscriptionId: string): readonly GoneRange[] {
    return this.ranges.get(subscriptionId) ?? [];
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
    const held = headers['held-range'];
    if (held !== undefined) {
      const range = JSON.parse(String(held)) as HeldRange;
      this.ranges.set(range.subscriptionId, [...this.rangesOf(range.subscriptionId), range]);
      return;
    }
    const { delivery } = decodeDeadLetterHeaders(headers);
    const ids = this.found.get(delivery.subscriptionId) ?? new Set();
    this.found.set(delivery.subscriptionId, ids.add(delivery.event.id));
  }

  private bounds(): Promise<PartitionOffsets[]> {
    return this.site.brokers.bounds(TOPICS.deadLetters);
  }
}
