import type { OrderedEvent } from './ordered-work.js';

/**
 * How far the lane of what was handed over anew must be scanned, so that nothing in a tier overtakes what stands there unread.
 * Hand-overs of one source are in the order of the log (a copy only goes back): behind a record that is no earlier than
 * the latest event found in the tiers, there is nothing that goes before any of those.
 */
export class ScanBounds {
  /** The latest offset found in the tiers and not yet passed by, by source. */
  private readonly latest = new Map<string, number>();

  /** @param source what hands over in order: a partition of the events, for live work or for one replay */
  foundInTier(source: string, { source: { offset } }: OrderedEvent): void {
    this.latest.set(source, Math.max(offset, this.latest.get(source) ?? 0));
  }

  foundAnew(source: string, event: OrderedEvent): void {
    const latest = this.latest.get(source);
    if (latest !== undefined && event.source.offset >= latest) this.latest.delete(source);
  }

  /** Whether there may be more to find. */
  get isOpen(): boolean {
    return this.latest.size > 0;
  }
}
