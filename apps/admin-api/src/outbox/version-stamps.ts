import type { SubscriptionRecord } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import type { PendingSubscription } from '@hookline/persistence';
import type { CompactedTail } from './compacted-tail.js';
import { earlierVersions, stampedVersion, type StampedVersion } from './earlier-versions.js';

/** Where a version holds from, and what held before it: known when it is written, and never changed after that. */
export class VersionStamps {
  /** What was written or is about to be, and was not read back yet. */
  private readonly own = new Map<string, StampedVersion>();

  /** @param tail of `hookline.subscriptions`; without it nothing is known of earlier versions */
  constructor(private readonly tail: CompactedTail | undefined) {}

  /** @param events where `hookline.events` begins and ends now */
  stamp(record: PendingSubscription, events: readonly PartitionOffsets[]): SubscriptionRecord {
    const last = this.before(record);
    const before = last && earlierVersions(last, new Map(events.map(({ partition, low }) => [partition, low])));
    const holdsFrom = Object.fromEntries(events.map(({ partition, high }) => [partition, high]));
    const stamped: SubscriptionRecord = {
      ...record,
      holdsFrom,
      ...(record.epoch !== undefined && {
        epochFrom: last?.epoch === record.epoch ? (last.epochFrom ?? holdsFrom) : holdsFrom,
      }),
      ...(before === undefined || before.length === 0 ? {} : { before }),
    };
    this.note(stamped);
    return stamped;
  }

  /** One that was stamped before: the next versions of its key come after it. */
  note(record: SubscriptionRecord): void {
    this.own.set(record.id, stampedVersion(record));
  }

  /** As this version was stamped when it was first written, where the topic says so. */
  again(record: PendingSubscription): SubscriptionRecord | undefined {
    const known = this.known(record.id);
    if (known?.version !== record.version) return undefined;
    const { holdsFrom, before, epochFrom } = known;
    return {
      ...record,
      holdsFrom,
      ...(epochFrom !== undefined && { epochFrom }),
      ...(before.length === 0 ? {} : { before }),
    };
  }

  /** The tail has read to the end: it knows all of this by now. */
  forget(): void {
    this.own.clear();
  }

  private before({ id, version }: PendingSubscription): StampedVersion | undefined {
    const known = this.known(id);
    return known !== undefined && known.version < version ? known : undefined;
  }

  private known(id: string): StampedVersion | undefined {
    const own = this.own.get(id);
    const read = this.tail?.stamped(id);
    if (own === undefined || read === undefined) return own ?? read;
    return own.version >= read.version ? own : read;
  }
}
