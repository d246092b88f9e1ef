import type { FieldError, RateLimit } from '@hookline/contracts';
import { invalid } from '../http/problems.js';
import { headerFaults } from './header-rules.js';
import { limitFaults, withBurst, type AskedRateLimit, type DeliveryLimits } from './limit-rules.js';
import { typeFaults, type TypeLimits } from './type-rules.js';

export interface SubscriptionLimits extends DeliveryLimits, TypeLimits {
  readonly httpsOnly: boolean;
  readonly maxUrlLength: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
}

/** Whether deliveries may go to an address; names are looked at when they are connected to. */
export type AddressRule = (address: string) => boolean;

interface Checked {
  url?: string | undefined;
  types?: string[] | undefined;
  headers?: Record<string, string> | undefined;
  rateLimit?: AskedRateLimit | null | undefined;
  maxInFlight?: number | null | undefined;
}

/** What the settings have to say about a subscription. */
export class SubscriptionRules {
  constructor(
    private readonly limits: SubscriptionLimits,
    private readonly isAllowedAddress: AddressRule,
  ) {}

  /** @throws ProblemError 400 with every fault */
  assertValid(asked: Checked): void {
    const { url, types, headers } = asked;
    const faults = [
      ...(url === undefined ? [] : this.urlFaults(url)),
      ...(types === undefined ? [] : typeFaults(types, this.limits)),
      ...(headers === undefined ? [] : headerFaults(headers, this.limits)),
      ...limitFaults(asked, this.limits),
    ];
    if (faults.length > 0) throw invalid(...faults.slice(0, 20));
  }

  /** A valid rate limit with its burst. */
  rateLimitOf(asked: AskedRateLimit | null): RateLimit | null {
    return asked && withBurst(asked, this.limits.maxRateBurst);
  }

  private urlFaults(text: string): FieldError[] {
    const fault = (message: string, limit?: number): FieldError[] => [
      { field: 'url', message, ...(limit === undefined ? {} : { limit }) },
    ];
    if (text.length > this.limits.maxUrlLength) return fault('is too long', this.limits.maxUrlLength);
    if (!/^https?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text))
      return fault('must be a URL that begins with http:// or https://');
    const url = new URL(text);
    if (this.limits.httpsOnly && url.protocol !== 'https:') return fault('must begin with https://');
    if (url.username !== '' || url.password !== '') return fault('must not hold credentials; use headers');
    if (url.hash !== '') return fault('must not have a fragment');
    const address = literalAddress(url.hostname);
    if (address !== undefined && !this.isAllowedAddress(address))
      return fault('must not be at a private, loopback or otherwise reserved address');
    return [];
  }
}

/** The host as an IP address, as `URL` has made it out of whatever form it was written in; undefined for a name. */
function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : undefined;
}
