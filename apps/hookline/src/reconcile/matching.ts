import type { SubscriptionRecord } from '@hookline/contracts';
import { isLive, matchesType, SubscriptionIndex, versionAt, type Holding, type Matchable } from '@hookline/domain';

/**
 * What an event is to a subscription, by the version that holds where it stands. `taken`: it matches. `held`: the version
 * takes nothing now, but these types. `unclear`: the versions of then are forgotten, and the first that is known takes it.
 */
export type MatchKind = 'taken' | 'held' | 'unclear';

export interface Match {
  /** The subscription's number in {@link Matching}. */
  subscription: number;
  kind: MatchKind;
}

/** A subscription's record, and when it was appended. */
export interface KnownRecord {
  record: SubscriptionRecord;
  at: Date;
}

/** A subscription with all its versions that are known, the latest first. */
export interface Subscribed extends Matchable {
  readonly number: number;
  readonly record: SubscriptionRecord;
  /** When its latest version was appended, ms since the epoch. */
  readonly at: number;
  readonly versions: readonly Holding[];
}

/** What events are for whom: a function of the log and of the records of `hookline.subscriptions`. */
export class Matching {
  private readonly index = new SubscriptionIndex<Subscribed>();
  private readonly numbers = new Map<string, number>();
  private readonly all: Subscribed[] = [];

  /** @param isWanted tells those that are asked about */
  constructor(private readonly isWanted: (record: SubscriptionRecord) => boolean = () => true) {}

  /** Takes what the topic says now; numbers stay as they are. */
  update(records: readonly KnownRecord[]): void {
    for (const { record, at } of records) {
      if (!this.isWanted(record)) continue;
      const number = this.numbers.get(record.id) ?? this.all.length;
      this.numbers.set(record.id, number);
      const { version, types, holdsFrom, before = [] } = record;
      const versions: Holding[] = [{ version, types, holdsFrom, live: isLive(record) }, ...before];
      const every = [...new Set(versions.flatMap((each) => each.types))];
      const { id, tenant } = record;
      const subscribed = { id, tenant, types: every, number, record, at: at.getTime(), versions };
      const known = this.all[number];
      if (known !== undefined) this.index.remove(known);
      this.all[number] = subscribed;
      this.index.add(subscribed);
    }
  }

  get subscriptions(): readonly Subscribed[] {
    return this.all;
  }

  numberOf(id: string): number | undefined {
    return this.numbers.get(id);
  }

  at(number: number): Subscribed {
    const found = this.all[number];
    if (found === undefined) throw new RangeError(`no subscription has the number ${number}`);
    return found;
  }

  /** In the order of the numbers. */
  match(tenant: string, type: string, partition: number, offset: number): Match[] {
    const found: Match[] = [];
    for (const subscribed of this.index.match(tenant, type)) {
      const match = matchOf(subscribed, type, partition, offset);
      if (match !== undefined) found.push(match);
    }
    return found.sort((a, b) => a.subscription - b.subscription);
  }

  /** Below which offset of a partition nobody knows any more what the subscription took; undefined: it is all known. */
  forgottenBelow({ versions }: Subscribed, partition: number): number | undefined {
    const first = versions.at(-1) as Holding;
    const from = first.holdsFrom[partition] ?? 0;
    return first.version > 1 && from > 0 ? from : undefined;
  }
}

function matchOf(
  { number, versions, record }: Subscribed,
  type: string,
  partition: number,
  offset: number,
): Match | undefined {
  const holding = versionAt(versions, partition, offset);
  if (holding === undefined || !holding.types.some((pattern) => matchesType(pattern, type))) return undefined;
  const isKnown = offset >= (holding.holdsFrom[partition] ?? 0);
  if (holding.live) return { subscription: number, kind: isKnown ? 'taken' : 'unclear' };
  const isDeleted = holding === versions[0] && record.status === 'deleted';
  return isKnown && !isDeleted ? { subscription: number, kind: 'held' } : undefined;
}
