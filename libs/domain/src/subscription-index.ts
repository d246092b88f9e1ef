/** What matching needs to know of a subscription. */
export interface Matchable {
  readonly id: string;
  readonly tenant: string;
  /** Exact types, `prefix.*` or `*`. */
  readonly types: readonly string[];
}

/** An array: most have one or few, and a map of one takes 250 bytes where this takes 60. */
type Bucket<S> = S[];

/**
 * Finds the subscriptions of a tenant that match a type. What it costs depends on the number of words in the type and
 * on how many match, not on how many there are.
 */
export class SubscriptionIndex<S extends Matchable> {
  /** By tenant, then by pattern as it is written: `order.created`, `order.*`, `*`. */
  private readonly tenants = new Map<string, Map<string, Bucket<S>>>();

  /** Puts a subscription in that is not there yet. Who changes one takes out what was there before it. */
  add(subscription: S): void {
    let patterns = this.tenants.get(subscription.tenant);
    if (patterns === undefined) this.tenants.set(subscription.tenant, (patterns = new Map()));
    for (const pattern of subscription.types) {
      const bucket = patterns.get(pattern);
      if (bucket === undefined) patterns.set(pattern, [subscription]);
      // It is there already where it has the pattern twice.
      else if (bucket.at(-1) !== subscription) bucket.push(subscription);
    }
  }

  /** Takes out what was put in, if it is there. */
  remove(subscription: S): void {
    const patterns = this.tenants.get(subscription.tenant);
    for (const pattern of subscription.types) {
      const bucket = patterns?.get(pattern) ?? [];
      const at = bucket.indexOf(subscription);
      if (at !== -1) bucket.splice(at, 1);
      if (bucket.length === 0) patterns?.delete(pattern);
    }
    if (patterns?.size === 0) this.tenants.delete(subscription.tenant);
  }

  /** Each matching subscription once, however many of its patterns match. */
  match(tenant: string, type: string): S[] {
    const patterns = this.tenants.get(tenant);
    if (patterns === undefined) return [];
    const found: S[] = [];
    let buckets = collect(patterns.get(type), found, 0);
    buckets = collect(patterns.get('*'), found, buckets);
    for (let dot = type.indexOf('.'); dot !== -1; dot = type.indexOf('.', dot + 1))
      buckets = collect(patterns.get(`${type.slice(0, dot)}.*`), found, buckets);
    return buckets > 1 ? [...new Set(found)] : found;
  }
}

/** Adds the bucket's subscriptions to `found`; answers how many buckets have given any. */
function collect<S>(bucket: Bucket<S> | undefined, found: S[], buckets: number): number {
  if (bucket === undefined) return buckets;
  for (const subscription of bucket) found.push(subscription);
  return buckets + 1;
}
