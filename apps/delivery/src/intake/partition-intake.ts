import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import type { DeduplicationIndex } from '@hookline/domain';
import type { FirstRecord } from '../delivery.js';
import type { Target } from '../subscriptions/target.js';
import type { TenantHeld } from './tenant-shares.js';
import type { WideMatch } from './wide-handover.js';

/** What was decided about an event, kept until its outcome is durable: a second try does only what is missing. */
export interface EventWork {
  readonly event: EventEnvelope;
  readonly source: LogPosition;
  /** The offset of the first event with its id, if it is a duplicate. */
  readonly duplicateOf: number | undefined;
  readonly firstRecord: FirstRecord;
  /** What it matched. */
  readonly targets: readonly Target[];
  /** The same, where that is more than are served directly. */
  readonly wide?: WideMatch;
  /** Whose share it counts in, while it is held and not set aside. */
  held?: TenantHeld | undefined;
}

/** What is known of one partition of events while this worker owns it. */
export class PartitionIntake {
  readonly works = new Map<number, EventWork>();

  constructor(readonly index: DeduplicationIndex) {}
}
