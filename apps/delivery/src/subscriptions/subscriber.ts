import type { DeliveryEnvelope, HeldReason, LogPosition } from '@hookline/contracts';
import { SUPERSEDED, type End } from '@hookline/domain';
import type { Door } from '../attempt/door.js';
import type { Target } from './target.js';

/** A subscription over all its versions. There are many, and few of them have anything to do at a time. */
export class Subscriber {
  /** What is in flight to it, and how its endpoint does; there while that is of interest. */
  door: Door | undefined = undefined;
  /** The latest version; set as soon as it is made, gone when the view forgets the subscription. */
  current: Target | undefined = undefined;
  /** The version of which this worker has told, as its owner, that too much waits for it, or little enough again. */
  toldVersion = 0;
  /** The version whose endpoint said that it is gone for good. */
  private goneVersion = 0;

  /** Nothing more is sent until the subscription is changed. */
  gone(version: number): void {
    this.goneVersion = Math.max(this.goneVersion, version);
  }

  get isDeleted(): boolean {
    return this.current === undefined || this.current.status === 'deleted';
  }

  /** How a delivery to it ends that may not be attempted now, if so. */
  endOf(envelope: Pick<DeliveryEnvelope, 'epoch' | 'replayId' | 'source' | 'version'>): End | undefined {
    const { current } = this;
    if (current === undefined || this.isDeleted) return DELETED;
    if (this.supersedes(epochOf(envelope), envelope.source)) return SUPERSEDED;
    if (current.status === 'enabled' || this.isNewer(envelope)) return undefined;
    return current.status === 'paused' ? PAUSED : DISABLED;
  }

  /**
   * Its endpoint said that it is gone for good, and nobody has said yet what is to be of it: disabled, or mended by its owner.
   * What is held before that would be in no span, and no catch-up would bring it.
   */
  get isGone(): boolean {
    const { current } = this;
    return current?.status === 'enabled' && current.record.version <= this.goneVersion;
  }

  /**
   * Has a delivery handed over that history has not heard of, and once more where a catch-up began meanwhile which takes
   * it for superseded: it could not know of it.
   */
  async handOver(envelope: DeliveryEnvelope, hand: () => Promise<unknown>): Promise<void> {
    do {
      this.adopt(envelope);
      await hand();
    } while (this.supersedes(epochOf(envelope), envelope.source));
  }

  /** The delivery is of the epoch that holds now. */
  adopt(envelope: DeliveryEnvelope): void {
    const { epoch = 0 } = this.current?.record ?? {};
    if (epoch > 0) envelope.epoch = epoch;
  }

  /**
   * Whether it was matched by a version that this worker has not heard of; where the record doesn't say by which, the one that is
   * known takes nothing from there on. A replay asks for what it likes.
   */
  private isNewer({ replayId, source, version }: Pick<DeliveryEnvelope, 'replayId' | 'source' | 'version'>): boolean {
    if (version !== undefined) return version > (this.current?.record.version ?? 0);
    const from = this.current?.record.holdsFrom[String(source.partition)];
    return replayId === undefined && from !== undefined && source.offset >= from;
  }

  /**
   * Whether a catch-up brings what was matched in this epoch: not what stands where it no longer reads, matched by a worker
   * that had not heard of it yet. What waits for a deleted one is buried, whenever it was matched.
   */
  supersedes(epoch: number | undefined, { partition, offset }: LogPosition): boolean {
    const { current } = this;
    if (epoch === undefined || current === undefined || this.isDeleted) return false;
    const { epoch: now = 0, epochFrom } = current.record;
    return epoch < now && (epochFrom === undefined || offset < (epochFrom[String(partition)] ?? 0));
  }
}

/**
 * The epoch by which a delivery is superseded; undefined where it never is: what a replay that is no catch-up asked for has
 * none, for no catch-up brings that.
 */
export function epochOf({ epoch, replayId }: Pick<DeliveryEnvelope, 'epoch' | 'replayId'>): number | undefined {
  return epoch ?? (replayId === undefined ? 0 : undefined);
}

const DELETED: End = { kind: 'dead-letter', reason: 'subscription-deleted' };
const PAUSED = held('subscription-paused');
const DISABLED = held('subscription-disabled');

function held(reason: HeldReason): End {
  return { kind: 'held', reason };
}
