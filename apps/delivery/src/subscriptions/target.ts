import type { SubscriptionRecord, SubscriptionSecrets } from '@hookline/contracts';
import { Signer, type Matchable, type Sealer } from '@hookline/domain';
import { Endpoint } from '@hookline/http-delivery';
import type { Subscriber } from './subscriber.js';

/** What sending needs, unsealed. */
export interface Opened {
  readonly endpoint: Endpoint;
  readonly signer: Signer;
  /** The subscription's own headers: name, value, name, value … */
  readonly headers: readonly string[];
}

/** What a subscription's own headers may not say: it would break the request, or pass for ours. */
const RESERVED =
  /^(host|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|transfer-encoding|content-.*|webhook-.*|hookline-.*)$/i;

/** One version of a subscription. */
export class Target implements Matchable {
  readonly id: string;
  readonly tenant: string;
  readonly types: readonly string[];
  private opened: Opened | undefined;

  constructor(
    readonly record: SubscriptionRecord,
    readonly subscriber: Subscriber,
    private readonly sealer: Sealer,
  ) {
    this.id = record.id;
    this.tenant = record.tenant;
    this.types = record.types;
  }

  get status(): SubscriptionRecord['status'] {
    return this.record.status;
  }

  /** A subscription gets nothing from before it was made. Later versions hold for whatever is read with them. */
  holdsAt(partition: number, offset: number): boolean {
    return this.record.version > 1 || offset >= (this.record.holdsFrom[String(partition)] ?? 0);
  }

  /**
   * Unsealed once, and kept for as long as the version is.
   * @throws UnsealError, TypeError or SyntaxError if this worker can't send for the subscription
   */
  open(): Opened {
    return (this.opened ??= this.unseal());
  }

  private unseal(): Opened {
    const { tenant, id, url, sealed } = this.record;
    const { secrets, headers } = JSON.parse(this.sealer.open(sealed, `${tenant}/${id}`)) as SubscriptionSecrets;
    const own = Object.entries(headers).filter(([name]) => !RESERVED.test(name));
    return { endpoint: new Endpoint(url), signer: new Signer(secrets), headers: own.flat() };
  }
}
