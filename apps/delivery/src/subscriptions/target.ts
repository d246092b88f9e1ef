import type { EarlierVersion, SubscriptionRecord, SubscriptionSecrets } from '@hookline/contracts';
import {
  isLive,
  ownHeaders,
  Signer,
  takesOf,
  versionAt,
  type Holding,
  type Matchable,
  type Sealer,
} from '@hookline/domain';
import { Endpoint } from '@hookline/http-delivery';
import type { Subscriber } from './subscriber.js';

/** What sending needs, unsealed. */
export interface Opened {
  readonly endpoint: Endpoint;
  readonly signer: Signer;
  /** The subscription's own headers: name, value, name, value … */
  readonly headers: readonly string[];
}

const NONE: readonly EarlierVersion[] = [];

/**
 * The latest version of a subscription, by which it is sent to, and what the versions before it took. Which one an event
 * goes by is decided by where it stands in the log.
 */
export class Target implements Matchable, Holding {
  private opened: Opened | undefined;
  private versions: readonly Holding[] | undefined;

  /** @param earlier the versions before this one, the latest first */
  constructor(
    readonly record: SubscriptionRecord,
    readonly subscriber: Subscriber,
    private readonly sealer: Sealer,
    readonly earlier: readonly EarlierVersion[] = record.before ?? NONE,
  ) {}

  get id(): string {
    return this.record.id;
  }

  get tenant(): string {
    return this.record.tenant;
  }

  get types(): readonly string[] {
    return this.record.types;
  }

  get status(): SubscriptionRecord['status'] {
    return this.record.status;
  }

  get version(): number {
    return this.record.version;
  }

  get live(): boolean {
    return isLive(this.record);
  }

  get holdsFrom(): Readonly<Record<string, number>> {
    return this.record.holdsFrom;
  }

  /** Whether an event of this type, at this place, is for the subscription. */
  takes(type: string, partition: number, offset: number): boolean {
    // This version itself among the others: that costs no copy of it.
    const version = versionAt((this.versions ??= [this, ...this.earlier]), partition, offset);
    return version !== undefined && takesOf(version, type);
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
    return { endpoint: new Endpoint(url), signer: new Signer(secrets), headers: ownHeaders(headers) };
  }
}
