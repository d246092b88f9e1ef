import type { SubscriptionRecord } from '@hookline/contracts';
import { SubscriptionIndex, type Sealer } from '@hookline/domain';
import { Subscriber } from './subscriber.js';
import { Target } from './target.js';

/** The subscriptions as the view has them: by id, and those that are enabled by what they match. */
export class Targets {
  private readonly subscribers = new Map<string, Subscriber>();
  private readonly enabled = new SubscriptionIndex<Target>();

  constructor(private readonly sealer: Sealer) {}

  /** Takes a change of the view. The view lets no older version come after a newer one. */
  apply(id: string, record: SubscriptionRecord | undefined): void {
    if (record === undefined) {
      const forgotten = this.subscribers.get(id);
      if (forgotten !== undefined) forgotten.current = undefined;
      this.enabled.delete(id);
      this.subscribers.delete(id);
      return;
    }
    let subscriber = this.subscribers.get(id);
    if (subscriber === undefined) this.subscribers.set(id, (subscriber = new Subscriber()));
    const target = new Target(record, subscriber, this.sealer);
    subscriber.current = target;
    if (record.status === 'enabled') this.enabled.set(target);
    else this.enabled.delete(id);
  }

  /** The latest version, whatever its status; undefined where the view has never heard of it. */
  get(id: string): Target | undefined {
    return this.subscribers.get(id)?.current;
  }

  /** The enabled subscriptions that an event of this type, at this place, is for. */
  match(tenant: string, type: string, partition: number, offset: number): readonly Target[] {
    const found = this.enabled.match(tenant, type);
    return found.every((target) => target.holdsAt(partition, offset))
      ? found
      : found.filter((target) => target.holdsAt(partition, offset));
  }
}
