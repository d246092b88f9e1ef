/** A member of the group, as the plan sees it. */
export interface Holder {
  readonly memberId: string;
  /** The partition numbers that it has now. */
  readonly held: readonly number[];
  /** The generation in which it got them: where two claim one, the later is right. */
  readonly generation: number;
}

/**
 * Gives each partition number to one member, whole. Numbers that stand in the same number of topics weigh the same:
 * of each such class every member gets its share, give or take one, and as many as can be stay where they are.
 * @param weights how many topics have each partition number
 * @returns the member of each partition number
 */
export function planPartitions(holders: readonly Holder[], weights: ReadonlyMap<number, number>): Map<number, string> {
  const members = [...holders].sort((a, b) => (a.memberId < b.memberId ? -1 : 1)).map(({ memberId }) => memberId);
  const holderOf = currentHolders(holders);
  const load = new Map(members.map((memberId) => [memberId, 0]));
  const plan = new Map<number, string>();
  const classes = [...new Set(weights.values())].sort((a, b) => b - a);
  for (const weight of classes) {
    const numbers = [...weights.keys()].filter((number) => weights.get(number) === weight).sort((a, b) => a - b);
    for (const [number, memberId] of planClass(members, numbers, holderOf, load)) {
      plan.set(number, memberId);
      load.set(memberId, (load.get(memberId) ?? 0) + weight);
    }
  }
  return plan;
}

function currentHolders(holders: readonly Holder[]): Map<number, string> {
  const holderOf = new Map<number, string>();
  for (const { memberId, held } of [...holders].sort((a, b) => a.generation - b.generation)) {
    for (const number of held) holderOf.set(number, memberId);
  }
  return holderOf;
}

function planClass(
  members: readonly string[],
  numbers: readonly number[],
  holderOf: ReadonlyMap<number, string>,
  load: ReadonlyMap<string, number>,
): Map<number, string> {
  const held = new Map(members.map((memberId): [string, number[]] => [memberId, []]));
  for (const number of numbers) held.get(holderOf.get(number) ?? '')?.push(number);
  const heldBy = (memberId: string): number[] => held.get(memberId) ?? [];
  const share = Math.floor(numbers.length / members.length);
  // The larger shares go to those that hold more already, so that less moves; then to those with less to do.
  const order = [...members].sort(
    (a, b) =>
      Math.min(heldBy(b).length, share + 1) - Math.min(heldBy(a).length, share + 1) ||
      (load.get(a) ?? 0) - (load.get(b) ?? 0),
  );
  const larger = numbers.length % members.length;
  const plan = new Map<number, string>();
  const room = new Map<string, number>();
  order.forEach((memberId, i) => {
    const quota = share + (i < larger ? 1 : 0);
    const kept = heldBy(memberId).slice(0, quota);
    for (const number of kept) plan.set(number, memberId);
    room.set(memberId, quota - kept.length);
  });
  const free = numbers.filter((number) => !plan.has(number));
  for (const memberId of order) {
    for (const number of free.splice(0, room.get(memberId) ?? 0)) plan.set(number, memberId);
  }
  return plan;
}
