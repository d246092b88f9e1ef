import { EARLIER_VERSIONS, type EarlierVersion, type SubscriptionRecord } from '@hookline/contracts';
import { matchesType } from './type-pattern.js';

/** What is needed of a version to know what it takes, and from where on. */
export type Holding = Readonly<Omit<EarlierVersion, 'types'>> & { readonly types: readonly string[] };

/** Whether this version takes events from the log. */
export function isLive({ status, heldBack }: Pick<SubscriptionRecord, 'status' | 'heldBack'>): boolean {
  return status === 'enabled' && heldBack !== true;
}

/**
 * The version that holds at a place of `hookline.events`: the latest that begins there or before it. So what an event
 * matches depends on the log and on the subscription's record only, and not on when a worker hears of the record.
 * Before the first version that is known holds none, if that one made the subscription; else what came before it is
 * forgotten, and the first one stands for it.
 * @param versions the latest first, at least one
 */
export function versionAt(versions: readonly Holding[], partition: number, offset: number): Holding | undefined {
  for (const version of versions) if (offset >= (version.holdsFrom[partition] ?? 0)) return version;
  const first = versions.at(-1);
  return first !== undefined && first.version > 1 ? first : undefined;
}

/** Whether a version takes events of this type. */
export function takesOf({ live, types }: Holding, type: string): boolean {
  return live && types.some((pattern) => matchesType(pattern, type));
}

/**
 * The versions before the one that follows on this record, the latest first.
 * @param before those before the record's own
 */
export function earlierThan(
  { version, types, holdsFrom, ...rest }: SubscriptionRecord,
  before: readonly EarlierVersion[],
): EarlierVersion[] {
  return [{ version, live: isLive(rest), types, holdsFrom }, ...before].slice(0, EARLIER_VERSIONS);
}
