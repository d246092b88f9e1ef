import type { SubscriptionRecord } from '@hookline/contracts';
import { earlierThan, SubscriptionIndex, type Matchable, type Sealer } from '@hookline/domain';
import { CommonFields } from './common-fields.js';
import { Subscriber } from './subscriber.js';
import { Target } from './target.js';

/** A subscription of which earlier versions took something, under all that they took. */
interface Earlier extends Matchable {
  readonly target: Target;
}

/** The subscriptions as the view has them: by id, and by what they take at which place of the log. */
export class Targets {
  private readonly subscribers = new Map<string, Subscriber>();
  /** Those of which the latest version takes events. */
  private readonly live = new SubscriptionIndex<Target>();
  private readonly earlier = new SubscriptionIndex<Earlier>();
  /** What stands in that index, by id: few were changed lately. */
  private readonly earlierOf = new Map<string, Earlier>();
  private readonly common = new CommonFields();
  private readonly held = new Set<string>();
  /** From there on the latest version of every subscription holds, by partition of the events. */
  private readonly settledFrom: number[] = [];

  /** @param changed hears of each new version, when it counts already, and of the one before it */
  constructor(
    private readonly sealer: Sealer,
    private readonly changed: (target: Target, last: Target | undefined) => void = () => undefined,
  ) {}

  /** Takes a change of the view. The view lets no older version come after a newer one. */
  apply(id: string, decoded: SubscriptionRecord | undefined): void {
    if (decoded === undefined) return this.forget(id);
    const record = this.common.of(decoded);
    let subscriber = this.subscribers.get(id);
    if (subscriber === undefined) this.subscribers.set(id, (subscriber = new Subscriber()));
    const last = subscriber.current;
    const earlier = record.before ?? seenBefore(record, last);
    const target = new Target(record, subscriber, this.sealer, earlier);
    subscriber.current = target;
    if (last?.live) this.live.remove(last);
    if (target.live) this.live.add(target);
    this.indexEarlier(target);
    if (record.heldBack === true) this.held.add(id);
    else this.held.delete(id);
    for (const [partition, offset] of Object.entries(record.holdsFrom))
      this.settledFrom[Number(partition)] = Math.max(offset, this.settledFrom[Number(partition)] ?? 0);
    this.changed(target, last);
  }

  /** The latest version, whatever its status; undefined where the view has never heard of it. */
  get(id: string): Target | undefined {
    return this.subscribers.get(id)?.current;
  }

  /** How many the view has, deleted ones among them until the topic forgets them. */
  get size(): number {
    return this.subscribers.size;
  }

  /** The ids of those that are held back. */
  get heldBack(): ReadonlySet<string> {
    return this.held;
  }

  /**
   * The subscriptions that an event of this type, at this place, is for: those whose version that holds there takes it,
   * whatever they have become since. They are sent to as they are now.
   */
  match(tenant: string, type: string, partition: number, offset: number): readonly Target[] {
    const found = this.live.match(tenant, type);
    // Nearly always: what is read is later than the latest change.
    if (offset >= (this.settledFrom[partition] ?? 0)) return found;
    const taking = found.filter((target) => target.takes(type, partition, offset));
    const known = new Set(found);
    for (const { target } of this.earlier.match(tenant, type))
      if (!known.has(target) && target.takes(type, partition, offset)) taking.push(target);
    return taking;
  }

  private forget(id: string): void {
    const forgotten = this.subscribers.get(id);
    if (forgotten?.current?.live) this.live.remove(forgotten.current);
    if (forgotten !== undefined) forgotten.current = undefined;
    this.forgetEarlier(id);
    this.held.delete(id);
    this.subscribers.delete(id);
  }

  private indexEarlier(target: Target): void {
    const { id, tenant } = target;
    this.forgetEarlier(id);
    const types = new Set(target.earlier.flatMap((version) => (version.live ? version.types : [])));
    if (types.size === 0) return;
    const earlier = { id, tenant, types: [...types], target };
    this.earlierOf.set(id, earlier);
    this.earlier.add(earlier);
  }

  private forgetEarlier(id: string): void {
    const known = this.earlierOf.get(id);
    if (known === undefined) return;
    this.earlierOf.delete(id);
    this.earlier.remove(known);
  }
}

/** For a record that says nothing of the versions before it. */
function seenBefore({ version }: SubscriptionRecord, last: Target | undefined): Target['earlier'] | undefined {
  return last === undefined || version === 1 ? undefined : earlierThan(last.record, last.earlier);
}
