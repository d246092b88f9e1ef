import type { Outcome } from '@hookline/domain';
import type { Assignment } from '@hookline/kafka';
import type { Delivery } from '../delivery.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Origin } from './guest.js';
import type { Refusal } from './rooms.js';

/** What becomes of an event that goes to its lane: it is due there at once. */
export const HANDED_OVER: Outcome = { kind: 'defer', delayMs: 0, jitterMs: 0 };

/** Where a delivery comes from decides what happens when there is no room for it. */
export interface Entrance {
  readonly from: Origin;
  /** How long it may wait for room, ms. */
  readonly patienceMs: number;
  /** It may not wait since its tenant holds more than its share. */
  readonly isOverShare?: boolean;
  /** Whether this worker may still act for the one who gave it the record. */
  owns(assignment: Assignment): boolean;
  /**
   * There is no room. Resolves when the delivery is durably somewhere else.
   * @throws NotDurable
   */
  noRoom(delivery: Delivery, refusal: Refusal, subscriber: Subscriber): Promise<Outcome>;
  /** Its attempt is slow, and has one of the places for those. Must not throw. */
  becameSlow?(delivery: Delivery): void;
}
