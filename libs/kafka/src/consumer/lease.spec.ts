import { describe, expect, it } from '@jest/globals';
import { Lease } from './lease.js';

describe('Lease', () => {
  const times = { monotonic: 1_000, wall: 50_000 };
  const leaseOf = () =>
    new Lease(
      100,
      () => times.monotonic,
      () => times.wall,
    );

  it('lasts from the sending of the last accepted request, not from its answer', () => {
    const lease = leaseOf();
    expect(lease.valid).toBe(false);
    const sent = lease.stamp();
    times.monotonic += 60;
    times.wall += 60;
    lease.renew(sent);
    expect(lease.ageMs).toBe(60);
    expect(lease.valid).toBe(true);
    times.monotonic += 40;
    expect(lease.valid).toBe(false);
  });

  it('is over when the machine was suspended, which the monotonic clock does not see', () => {
    const lease = leaseOf();
    lease.renew(lease.stamp());
    times.wall += 100;
    expect(lease.valid).toBe(false);
  });

  it('is not made longer by a wall clock that is set back', () => {
    const lease = leaseOf();
    lease.renew(lease.stamp());
    times.wall -= 1_000;
    times.monotonic += 100;
    expect(lease.valid).toBe(false);
  });

  it('ends when the group goes on without us', () => {
    const lease = leaseOf();
    lease.renew(lease.stamp());
    lease.end();
    expect(lease.valid).toBe(false);
    expect(lease.ageMs).toBeUndefined();
  });
});
