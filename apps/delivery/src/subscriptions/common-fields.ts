import type { SubscriptionRecord } from '@hookline/contracts';

const MOST = 10_000;
/** Longer lists are seldom said alike, and would take what remembering is to save; characters. */
const LONGEST = 256;

/**
 * Lets records have one copy of what many of them say alike: the tenant and the types. What is parsed from JSON has a copy
 * of its own each time, and there may be a hundred thousand records.
 */
export class CommonFields {
  private readonly tenants = new Map<string, string>();
  private readonly types = new Map<string, string[]>();

  /** @param most so many values of each field are remembered */
  constructor(private readonly most: number = MOST) {}

  /** The record, with the copies that are there already. */
  of(record: SubscriptionRecord): SubscriptionRecord {
    const tenant = this.common(this.tenants, record.tenant, record.tenant);
    // No type has a space.
    const said = record.types.join(' ');
    const types = said.length > LONGEST ? record.types : this.common(this.types, said, record.types);
    return { ...record, tenant, types };
  }

  private common<T>(known: Map<string, T>, key: string, value: T): T {
    const first = known.get(key);
    if (first !== undefined) return first;
    // What nobody says any more would stay for ever. To begin anew costs a second copy of the others.
    if (known.size >= this.most) known.clear();
    known.set(key, value);
    return value;
  }
}
