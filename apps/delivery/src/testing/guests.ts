import { randomBytes } from 'node:crypto';
import { deliverySection, loadConfig } from '@hookline/config';
import type { SubscriptionRecord } from '@hookline/contracts';
import { newSigningSecret, Sealer, type Verdict } from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { Guest, type Origin } from '../attempt/guest.js';
import { OwnersWords } from '../attempt/owners-words.js';
import { Rooms, type RoomLimits } from '../attempt/rooms.js';
import { Subscriber } from '../subscriptions/subscriber.js';
import { Target } from '../subscriptions/target.js';

export const testSealer = new Sealer([`k:${randomBytes(32).toString('base64')}`]);

export function subscriptionRecord(change: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
  const { id = 'sub_a', tenant = 'ten_a' } = change;
  const secrets = JSON.stringify({ secrets: [newSigningSecret()], headers: {} });
  return {
    v: 1,
    version: 1,
    id,
    tenant,
    url: `https://${id.replace('_', '-')}.example.com/`,
    types: ['*'],
    status: 'enabled',
    sealed: testSealer.seal(secrets, `${tenant}/${id}`),
    holdsFrom: {},
    ...change,
  };
}

/** A subscriber as the view makes it. */
export function subscriberOf(change: Partial<SubscriptionRecord> = {}): Subscriber {
  const subscriber = new Subscriber();
  subscriber.current = new Target(subscriptionRecord(change), subscriber, testSealer);
  return subscriber;
}

/** What owners say, to nobody. */
export function unheard(): OwnersWords {
  return new OwnersWords({ produce: async () => ({ partition: 0, offset: 0 }) }, 3_600_000, () => true);
}

/** Rooms with the settings' defaults, and an endpoint's limit that begins at its cap. */
export function roomsWith(limits: Partial<RoomLimits>, clock: Clock, workers = 1, isOwner = true): Rooms {
  const { delivery } = loadConfig({ delivery: deliverySection }, {});
  const startConcurrency = limits.endpointConcurrency ?? delivery.endpointConcurrency;
  const share = { workers: () => workers, isOwner: () => isOwner };
  return new Rooms({ ...delivery, startConcurrency, ...limits }, clock, share, unheard());
}

/** A guest that stays until it is told to leave, and remembers what became of it. */
export class TestGuest extends Guest {
  state: 'outside' | 'inside' | 'left' | 'gave-up' = 'outside';

  constructor(
    private readonly rooms: Rooms,
    subscriber: Subscriber,
    options: {
      from?: Origin;
      patienceMs?: number;
      bytes?: number;
      ownership?: AbortSignal;
      onBegin?: (guest: TestGuest) => void;
      onGiveUp?: (guest: TestGuest) => void;
    } = {},
  ) {
    const { from = 'event', patienceMs = 5_000, bytes = 1_024, ownership = new AbortController().signal } = options;
    super(subscriber, from, patienceMs, bytes, ownership);
    this.onBegin = options.onBegin;
    this.onGiveUp = options.onGiveUp;
  }

  private readonly onBegin: ((guest: TestGuest) => void) | undefined;
  private readonly onGiveUp: ((guest: TestGuest) => void) | undefined;

  enter(): boolean {
    return this.rooms.enter(this);
  }

  leave(verdict: Verdict | undefined = 'delivered', aloneMs = 0): void {
    this.state = 'left';
    this.rooms.leave(this, verdict, aloneMs);
  }

  override begin(): void {
    this.state = 'inside';
    this.onBegin?.(this);
  }

  override letGo(): void {
    this.state = 'left';
  }

  override giveUp(): void {
    this.state = 'gave-up';
    this.onGiveUp?.(this);
  }
}
