import type { DeliveryEnvelope } from '@hookline/contracts';
import type { Assignment } from '@hookline/kafka';

/** One event on its way to one subscription, while it is in this worker's hands. */
export interface Delivery {
  /** As it stands; counted on with each attempt. */
  readonly envelope: DeliveryEnvelope;
  /** The bytes that are signed and sent. */
  readonly body: Buffer;
  /** The ownership under which it is done; it dies with it. */
  readonly assignment: Assignment;
  /** The event's first record about what it matched; absent in the lanes, where that has been said. */
  readonly firstRecord?: FirstRecord;
  /**
   * History may not know yet that it waits, so that a catch-up would not bring it: it is of whatever epoch its subscription
   * has come to when it goes on.
   */
  readonly isUntold?: boolean;
  /** Its place among all that waits for its subscription; in the lanes only. */
  readonly waiting?: { goesAway(): void };
}

/** What an event matched, to be said once, in the first record about it. */
export class FirstRecord {
  private said = false;

  constructor(private readonly matched: readonly string[]) {}

  /** What the event matched, for the one who asks first. */
  take(): string[] | undefined {
    if (this.said) return undefined;
    this.said = true;
    return this.matched as string[];
  }

  /** The record that had it was not written. */
  giveBack(): void {
    this.said = false;
  }
}

/** The work may not be done by this worker now: it lost the partition, or has not heard of the group for too long. */
export class NotOwner extends Error {
  override name = 'NotOwner';
  constructor() {
    super('the partition is no longer owned, or the group has not been heard of for too long');
  }
}
