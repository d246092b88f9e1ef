import type { SubscriptionRecord } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import type { PendingSubscription, Session } from '@hookline/persistence';
import type { CompactedTail } from './compacted-tail.js';
import { stampsOf } from './kept-stamps.js';
import { earlierVersions, stampedVersion, type StampedVersion } from './earlier-versions.js';

/** Where a version holds from, and what held before it: known when it is written, and never changed after that. */
export class VersionStamps {
  /** What was written or is about to be, and was not read back yet. */
  private readonly own = new Map<string, StampedVersion>();
  /** What the database knows, where the topic was made anew, or says less. */
  private readonly kept = new Map<string, StampedVersion>();

  /** @param tail of `hookline.subscriptions`; without it nothing is known of earlier versions */
  constructor(private readonly tail: CompactedTail | undefined) {}

  /**
   * Looks up in the database what the topic does not say: it may have been made anew, or be an older one, of brokers that came
   * back with less.
   * @param events as in {@link stamp}
   */
  async recall(
    session: Session,
    rows: readonly { id: string; version: number }[],
    events: readonly PartitionOffsets[],
  ): Promise<void> {
    const behind = rows.filter(({ id, version }) => this.all(id).every((known) => known.version < version));
    const ids = behind.map(({ id }) => id);
    for (const [id, stamped] of await stampsOf(session, ids, events)) this.kept.set(id, stamped);
  }

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

  /** As this version was stamped when it was first written, where the topic or the database says so. */
  again(record: PendingSubscription): SubscriptionRecord | undefined {
    const known = this.all(record.id).find(({ version }) => version === record.version);
    if (known === undefined) return undefined;
    const { holdsFrom, before, epochFrom } = known;
    return {
      ...record,
      holdsFrom,
      ...(epochFrom !== undefined && { epochFrom }),
      ...(before.length === 0 ? {} : { before }),
    };
  }

  /**
   * Of a row that was written before, where neither the topic nor the database says where it held from. A version that made
   * its subscription holds from the start of the log, or what nobody has read yet would match nothing; before another one
   * its own word counts anyway.
   */
  stampAnew(record: PendingSubscription, events: readonly PartitionOffsets[]): SubscriptionRecord {
    const stamped = this.stamp(record, events);
    if (record.version > 1 || stamped.before !== undefined) return stamped;
    const anew = { ...stamped, holdsFrom: Object.fromEntries(events.map(({ partition, low }) => [partition, low])) };
    this.note(anew);
    return anew;
  }

  /** The tail has read to the end: it knows all of this by now. */
  forget(): void {
    this.own.clear();
    this.kept.clear();
  }

  private before({ id, version }: PendingSubscription): StampedVersion | undefined {
    const earlier = this.all(id).filter((known) => known.version < version);
    return earlier.toSorted((a, b) => b.version - a.version)[0];
  }

  /** What is known of it; of the same version the first counts. */
  private all(id: string): StampedVersion[] {
    return [this.own.get(id), this.tail?.stamped(id), this.kept.get(id)].filter((each) => each !== undefined);
  }
}
