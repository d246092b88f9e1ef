import type { SubscriptionRecord } from '@hookline/contracts';
import { isLive, takesOf } from '@hookline/domain';

/** What a version took, and from where. */
export interface HeldVersion {
  version: number;
  live: boolean;
  /** Whether it has a slice of its own: it took more than the one before. */
  more: boolean;
  types: string[];
  holdsFrom: Record<string, number>;
}

export function heldVersionOf(record: SubscriptionRecord): HeldVersion {
  const { version, types, holdsFrom, before = [] } = record;
  const live = isLive(record);
  const [previous] = before;
  const more = live && !(previous?.live && types.every((type) => previous.types.includes(type)));
  return { version, live, more, types, holdsFrom };
}

/**
 * Whether the one of these versions that holds at the offset takes the type, and it is for the slice of this version to
 * say so: where a later one has a slice, that does.
 */
export function takesAt(
  { version, versions }: { version: number; versions: readonly HeldVersion[] },
  partition: number,
  offset: number,
  type: string,
): boolean {
  let holding: HeldVersion | undefined;
  for (const each of versions) {
    if ((each.holdsFrom[partition] ?? 0) > offset) continue;
    if (each.more && each.version > version) return false;
    if (each.version >= (holding?.version ?? 0)) holding = each;
  }
  return holding !== undefined && takesOf(holding, type);
}
