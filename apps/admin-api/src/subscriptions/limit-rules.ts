import type { FieldError, RateLimit } from '@hookline/contracts';

export interface DeliveryLimits {
  readonly maxRatePerSecond: number;
  readonly maxRateBurst: number;
  readonly maxSubscriptionInFlight: number;
}

/** A rate limit as it is asked for. */
export interface AskedRateLimit {
  perSecond: number;
  burst?: number | undefined;
}

interface Checked {
  rateLimit?: AskedRateLimit | null | undefined;
  maxInFlight?: number | null | undefined;
}

/** What is above the settings' limits; that these are numbers, and not too small, is known by now. */
export function limitFaults({ rateLimit, maxInFlight }: Checked, limits: DeliveryLimits): FieldError[] {
  return [
    ...above('rateLimit.perSecond', rateLimit?.perSecond, limits.maxRatePerSecond),
    ...above('rateLimit.burst', rateLimit?.burst, limits.maxRateBurst),
    ...above('maxInFlight', maxInFlight, limits.maxSubscriptionInFlight),
  ];
}

function above(field: string, value: number | null | undefined, limit: number): FieldError[] {
  return (value ?? 0) > limit ? [{ field, message: `must be at most ${limit}`, limit }] : [];
}

/** With the burst, which is what a second brings where it is left out, in whole attempts and not above its limit. */
export function withBurst({ perSecond, burst }: AskedRateLimit, maxRateBurst: number): RateLimit {
  return { perSecond, burst: burst ?? Math.min(maxRateBurst, Math.ceil(perSecond)) };
}
