/** How many events of one tenant are held. */
export interface TenantHeld {
  readonly tenant: string;
  events: number;
}

/**
 * Who holds the worker's events: when they get scarce, a tenant with more than its share must not make the others
 * wait. A share is what there is, divided by the tenants that hold any.
 */
export class TenantShares {
  private readonly tenants = new Map<string, TenantHeld>();
  private events = 0;

  /** @param most events that the worker holds at most */
  constructor(private readonly most: number) {}

  /** An event of the tenant is held from now on; to be given back to {@link leave}, once for each. */
  enter(tenant: string): TenantHeld {
    let held = this.tenants.get(tenant);
    if (held === undefined) this.tenants.set(tenant, (held = { tenant, events: 0 }));
    held.events++;
    this.events++;
    return held;
  }

  leave(held: TenantHeld): void {
    this.events--;
    if (--held.events === 0) this.tenants.delete(held.tenant);
  }

  /** How many hold more than their share. */
  get over(): number {
    let over = 0;
    for (const held of this.tenants.values()) if (this.isOver(held)) over++;
    return over;
  }

  /** Whether what the tenant sends now should not wait here. Alone it may hold all there is. */
  isOver({ events }: TenantHeld): boolean {
    const sharers = this.tenants.size;
    return sharers > 1 && this.events * 2 > this.most && events * sharers > this.most;
  }
}
