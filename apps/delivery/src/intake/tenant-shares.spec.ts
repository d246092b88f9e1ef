import { describe, expect, it } from '@jest/globals';
import { TenantShares, type TenantHeld } from './tenant-shares.js';

const enter = (shares: TenantShares, tenant: string, events: number): TenantHeld => {
  let held: TenantHeld | undefined;
  for (let n = 0; n < events; n++) held = shares.enter(tenant);
  return held as TenantHeld;
};

describe('the shares of tenants', () => {
  it('are all there is for one that is alone, also where a fetch brought more', () => {
    const shares = new TenantShares(100);
    expect(shares.isOver(enter(shares, 'a', 150))).toBe(false);
  });

  it('are the same for each that holds any, and count when more than half is held', () => {
    const shares = new TenantShares(100);
    const b = enter(shares, 'b', 1);
    enter(shares, 'c', 1);
    const a = enter(shares, 'a', 48);
    expect(shares.isOver(a)).toBe(false);
    shares.enter('a');
    expect([a, b].map((held) => shares.isOver(held))).toEqual([true, false]);
    expect(shares.over).toBe(1);
  });

  it('grow as others leave', () => {
    const shares = new TenantShares(100);
    const [b, a] = [enter(shares, 'b', 1), enter(shares, 'a', 70)];
    expect(shares.isOver(a)).toBe(true);
    shares.leave(b);
    expect(shares.isOver(a)).toBe(false);
    // The one that left is counted anew when it comes again.
    const again = shares.enter('b');
    expect([a, again].map((held) => shares.isOver(held))).toEqual([true, false]);
  });
});
