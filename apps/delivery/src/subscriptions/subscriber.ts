import type { DeadLetterReason } from '@hookline/contracts';
import type { Door } from '../attempt/door.js';
import type { Target } from './target.js';

/** A subscription over all its versions. There are many, and few of them have anything to do at a time. */
export class Subscriber {
  /** What is in flight to it, and how its endpoint does; there while that is of interest. */
  door: Door | undefined = undefined;
  /** The latest version; set as soon as it is made, gone when the view forgets the subscription. */
  current: Target | undefined = undefined;
  /** The version whose endpoint said that it is gone for good. */
  private goneVersion = 0;

  /** Nothing more is sent until the subscription is changed. */
  gone(version: number): void {
    this.goneVersion = Math.max(this.goneVersion, version);
  }

  get isDeleted(): boolean {
    return this.current === undefined || this.current.status === 'deleted';
  }

  /** Why nothing may be sent to it now, if so. */
  get refusal(): DeadLetterReason | undefined {
    const { current } = this;
    if (current === undefined || this.isDeleted) return 'subscription-deleted';
    if (current.status === 'disabled') return 'subscription-disabled';
    return current.record.version <= this.goneVersion ? 'endpoint-gone' : undefined;
  }
}
