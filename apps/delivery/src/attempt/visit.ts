import type { Outcome } from '@hookline/domain';
import { LetGo } from '@hookline/kafka';
import type { Delivery } from '../delivery.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Entrance } from './entrance.js';
import { Guest } from './guest.js';

/** What a request costs besides its body: headers, a signature, an outcome; bytes. */
const FIXED_COST = 1_024;

/** Who is told when a delivery may go, or has to be put off. */
export interface VisitHost {
  inRoom(visit: Visit): void;
  noRoom(visit: Visit): void;
}

/** One delivery's way through the rooms, until its outcome is durable. */
export class Visit extends Guest {
  constructor(
    private readonly host: VisitHost,
    readonly delivery: Delivery,
    subscriber: Subscriber,
    readonly entrance: Entrance,
    readonly resolve: (outcome: Outcome) => void,
    readonly reject: (error: unknown) => void,
  ) {
    const { body, assignment } = delivery;
    super(subscriber, entrance.from, entrance.patienceMs, body.length + FIXED_COST, assignment.signal);
  }

  override begin(): void {
    this.host.inRoom(this);
  }

  override becameSlow(): void {
    this.entrance.becameSlow?.(this.delivery);
  }

  override giveUp(): void {
    this.host.noRoom(this);
  }

  override letGo(): void {
    this.reject(new LetGo('it waits no longer here'));
  }

  /** Whether this worker may still act for it. */
  get isOurs(): boolean {
    return this.entrance.owns(this.delivery.assignment);
  }
}
