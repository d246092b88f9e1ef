import type { LogPosition } from '@hookline/contracts';
import type { OrderedWork, Outcome } from '@hookline/domain';
import type { LogRecord } from '@hookline/kafka';
import type { Delivery } from '../delivery.js';
import { isTier, streamOf } from './stream-of.js';

/** A lane's record that this worker holds until its turn comes, with what is to be done then. */
export class HeldWork implements OrderedWork {
  readonly group: string;
  readonly key: string;
  readonly source: LogPosition;
  readonly epoch: number | undefined;
  readonly lane: string;
  readonly offset: number;
  readonly fromTier: boolean;
  readonly attempts: number;

  /** @param dueAt when it may go at the earliest, ms since the epoch; 0: at once */
  constructor(
    { topic, offset }: LogRecord,
    readonly delivery: Delivery,
    readonly dueAt: number,
    readonly attempt: () => Promise<Outcome>,
    readonly resolve: () => void,
    readonly reject: (error: unknown) => void,
  ) {
    const { group, key, source, epoch } = streamOf(delivery.envelope);
    this.epoch = epoch;
    this.group = group;
    this.key = key;
    this.source = source;
    this.lane = topic;
    this.offset = offset;
    this.fromTier = isTier(topic);
    this.attempts = delivery.envelope.attempts;
  }
}
