import { EARLIER_VERSIONS, type EarlierVersion, type SubscriptionRecord } from '@hookline/contracts';
import { isLive } from '@hookline/domain';

/** What has to be known of a version of a subscription to write the next one. */
export interface StampedVersion extends EarlierVersion {
  /** As in the record. */
  before: EarlierVersion[];
  /** As in the record. */
  epoch?: number;
  epochFrom?: Record<string, number>;
}

export function stampedVersion(record: SubscriptionRecord): StampedVersion {
  const { version, types, holdsFrom, before = [], epoch, epochFrom } = record;
  return {
    version,
    live: isLive(record),
    types,
    holdsFrom,
    before,
    ...(epoch !== undefined && { epoch }),
    ...(epochFrom !== undefined && { epochFrom }),
  };
}

/**
 * The earlier versions that travel with the one after `last`, the latest first. Of several in a row that take the same
 * events the first stands for all, for it says from where. Those are left out that say nothing of an event that is
 * still in the log, since a later one holds from before its start.
 * @param lows where each partition of `hookline.events` begins now
 */
export function earlierVersions(last: StampedVersion, lows: ReadonlyMap<number, number>): EarlierVersion[] {
  const { before, epoch: _epoch, epochFrom: _epochFrom, ...version } = last;
  const [previous] = before;
  const all = previous !== undefined && takeTheSame(previous, version) ? before : [version, ...before];
  const oldestOfUse = all.findIndex(({ holdsFrom }) => holdsBefore(holdsFrom, lows));
  const known = oldestOfUse === -1 ? all : all.slice(0, oldestOfUse + 1);
  if (known.length <= EARLIER_VERSIONS) return known;
  // The last one stands for those that are forgotten. One that takes nothing would lose what they took.
  const kept = known.slice(0, EARLIER_VERSIONS);
  return kept.slice(0, kept.findLastIndex(({ live }) => live) + 1);
}

function takeTheSame(a: EarlierVersion, b: EarlierVersion): boolean {
  if (a.live !== b.live) return false;
  if (!a.live) return true;
  const types = new Set(a.types);
  return types.size === new Set(b.types).size && b.types.every((type) => types.has(type));
}

function holdsBefore(holdsFrom: Readonly<Record<string, number>>, lows: ReadonlyMap<number, number>): boolean {
  return [...lows].every(([partition, low]) => (holdsFrom[String(partition)] ?? 0) <= low);
}
