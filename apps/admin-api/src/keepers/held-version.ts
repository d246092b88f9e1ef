import type { SubscriptionRecord } from '@hookline/contracts';
import { matchesType } from '@hookline/domain';

/** What a version took, and from where. */
export interface HeldVersion {
  version: number;
  live: boolean;
  types: string[];
  holdsFrom: Record<string, number>;
}

export function heldVersionOf({ version, status, heldBack, types, holdsFrom }: SubscriptionRecord): HeldVersion {
  return { version, live: status === 'enabled' && heldBack !== true, types, holdsFrom };
}

/** Whether a worker that does not know of this version yet may leave out what it takes. */
export function takesMore(record: SubscriptionRecord): boolean {
  const { live, types } = heldVersionOf(record);
  if (!live) return false;
  const [before] = record.before ?? [];
  return before === undefined || !before.live || types.some((type) => !before.types.includes(type));
}

/** Whether the one of these versions that holds at the offset takes the type. */
export function takesAt(versions: readonly HeldVersion[], partition: number, offset: number, type: string): boolean {
  let holding: HeldVersion | undefined;
  for (const each of versions)
    if ((each.holdsFrom[partition] ?? 0) <= offset && each.version >= (holding?.version ?? 0)) holding = each;
  return holding !== undefined && holding.live && holding.types.some((pattern) => matchesType(pattern, type));
}
