import type { Admin, Kafka } from 'kafkajs';
import type { OffsetProgress, OffsetRun } from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { readKnown, type Known } from './committed-progress.js';
import { openRuns } from './open-runs.js';
import type { OwnedPartition } from './owned-partition.js';
import type { RunnerObserver } from './runner-observer.js';
import {
  partitionKey,
  type LookBack,
  type PositionStore,
  type RestoredProgress,
  type RunnerLogger,
} from './runner-options.js';

const NOTHING: OffsetProgress = { complete: [], remainders: [] };

export interface RestorerOptions {
  kafka: Kafka;
  groupId: string;
  clock: Clock;
  logger: RunnerLogger;
  observer: RunnerObserver;
  positions: PositionStore | undefined;
  lookBack: LookBack | undefined;
  retry: { firstMs: number; mostMs: number };
  /** The partition knows its progress and may be read. */
  restored: (partition: OwnedPartition, progress: RestoredProgress) => void;
  /** The partition's position was moved into the log and may be read. */
  moved: (partition: OwnedPartition) => void;
  /** The partition's progress lies past the log's end while it is read: it must be taken over from scratch. */
  lost: (partition: OwnedPartition) => void;
}

/** Finds out where partitions go on, before anything is fetched; tries until it knows, or they are taken away. */
export class Restorer {
  constructor(private readonly options: RestorerOptions) {}

  async restore(partitions: readonly OwnedPartition[]): Promise<void> {
    const { clock, logger, retry } = this.options;
    let waiting = [...partitions];
    for (let delayMs = retry.firstMs; waiting.length > 0; delayMs = Math.min(delayMs * 2, retry.mostMs)) {
      try {
        waiting = await this.attempt(waiting);
      } catch (error) {
        logger.warn({ err: error, partitions: waiting.length }, 'progress could not be restored; it is tried again');
      }
      waiting = waiting.filter(({ alive }) => alive);
      if (waiting.length > 0) await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    }
  }

  /** @returns those that are still to be restored */
  private async attempt(partitions: readonly OwnedPartition[]): Promise<OwnedPartition[]> {
    const { kafka, groupId, positions, logger } = this.options;
    // Made anew each time: a client that has seen a broker go may know the wrong leaders for minutes.
    const admin = kafka.admin();
    try {
      await admin.connect();
      const known = await readKnown(admin, groupId, partitions, positions);
      const results = await Promise.allSettled(
        partitions.map((each) => this.one(admin, each, known.get(partitionKey(each.topic, each.partition)) as Known)),
      );
      return partitions.filter((each, i) => {
        const result = results[i];
        if (result?.status !== 'rejected') return false;
        const { topic, partition } = each;
        logger.warn({ topic, partition, err: result.reason as unknown }, 'a partition could not be restored');
        return true;
      });
    } finally {
      await admin.disconnect();
    }
  }

  private async one(admin: Admin, owned: OwnedPartition, known: Known): Promise<void> {
    if (!owned.alive) return;
    if (owned.tracker !== undefined) return this.moveIntoLog(owned, known);
    const { topic, partition } = owned;
    const watermark = this.watermarkInLog(owned, known);
    const back = (await this.options.lookBack?.(topic, partition, watermark, admin)) ?? watermark;
    if (!owned.alive) return;
    const start = Math.max(known.low, Math.min(watermark, back));
    const beyondEnd = known.watermark !== undefined && known.watermark > known.high;
    const above = beyondEnd ? NOTHING : known.above;
    const progress: RestoredProgress = {
      watermark,
      start,
      end: known.high,
      completeTo: Math.max(watermark, above.complete.at(-1)?.to ?? 0),
      isFirst: known.watermark === undefined,
      isComplete: (offset) => owned.tracker?.isComplete(offset) === true,
    };
    owned.restore(progress, above);
    this.options.restored(owned, progress);
  }

  /** Where the work begins in the log that there is; what fell out of it is reported. */
  private watermarkInLog({ topic, partition }: OwnedPartition, known: Known): number {
    const { observer, logger } = this.options;
    const { watermark = known.low, above, low, high } = known;
    if (watermark > high) {
      observer.beyondEnd?.({ topic, partition, watermark, end: high });
      logger.error(
        { topic, partition, watermark, end: high },
        'progress is past the end of the log: reading it from its start',
      );
      return low;
    }
    if (watermark < low) this.reportGap(topic, partition, watermark, low, above.complete);
    return Math.max(watermark, low);
  }

  /** kafkajs found the position of a partition that is being read out of range. */
  private moveIntoLog(owned: OwnedPartition, { low, high }: Known): void {
    const { topic, partition, position, tracker } = owned;
    if (position > high) return this.options.lost(owned);
    if (position < low) {
      this.reportGap(topic, partition, position, low, tracker?.completeAbove() ?? []);
      owned.skipTo(low);
    }
    this.options.moved(owned);
  }

  private reportGap(topic: string, partition: number, from: number, to: number, complete: readonly OffsetRun[]): void {
    const { observer, logger } = this.options;
    for (const gap of openRuns(from, to, complete)) {
      observer.agedOut?.({ topic, partition, ...gap });
      logger.error({ topic, partition, ...gap }, 'records aged out of the log before they were read');
    }
  }
}
