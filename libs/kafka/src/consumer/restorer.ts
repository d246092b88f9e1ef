import type { Admin, Kafka } from 'kafkajs';
import type { OffsetProgress, OffsetRun } from '@hookline/domain';
import type { Clock } from '@hookline/platform';
import { readKnown, type Known } from './committed-progress.js';
import { openRuns } from './open-runs.js';
import type { OwnedPartition } from './owned-partition.js';
import type { AgedOut, RunnerObserver } from './runner-observer.js';
import {
  partitionKey,
  type LookBack,
  type OnAgedOut,
  type PositionStore,
  type ProgressWitness,
  type RestoredProgress,
  type RunnerLogger,
  type Witnessed,
} from './runner-options.js';

const NOTHING: OffsetProgress = { complete: [], remainders: [] };

export interface RestorerOptions {
  kafka: Kafka;
  groupId: string;
  clock: Clock;
  logger: RunnerLogger;
  observer: RunnerObserver;
  positions: PositionStore | undefined;
  witness: ProgressWitness | undefined;
  lookBack: LookBack | undefined;
  onAgedOut: OnAgedOut | undefined;
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
    const { kafka, groupId, positions, witness, logger } = this.options;
    // Made anew each time: a client that has seen a broker go may know the wrong leaders for minutes.
    const admin = kafka.admin();
    try {
      await admin.connect();
      const witnessed = (await witness?.read(admin)) ?? new Map<string, Witnessed>();
      const known = await readKnown(admin, groupId, partitions, positions);
      const results = await Promise.allSettled(
        partitions.map((each) => {
          const key = partitionKey(each.topic, each.partition);
          return this.one(admin, each, known.get(key) as Known, witnessed.get(key));
        }),
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

  private async one(
    admin: Admin,
    owned: OwnedPartition,
    known: Known,
    witnessed: Witnessed | undefined,
  ): Promise<void> {
    if (!owned.alive) return;
    if (owned.tracker !== undefined) return this.moveIntoLog(owned, known);
    const { topic, partition } = owned;
    const watermark = await this.watermarkInLog(owned, known, witnessed);
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
      isFirst: known.watermark === undefined && witnessed === undefined,
      isComplete: (offset) => owned.tracker?.isComplete(offset) === true,
    };
    owned.restore(progress, above);
    this.options.restored(owned, progress);
  }

  /**
   * Where the work begins in the log that there is; what fell out of it is reported. Where nothing is committed that is the
   * log's start, whatever was witnessed: a topic that was made anew may have reached the same offsets.
   */
  private async watermarkInLog(
    { topic, partition }: OwnedPartition,
    known: Known,
    witnessed: Witnessed | undefined,
  ): Promise<number> {
    const { observer, logger } = this.options;
    const { above, low, high } = known;
    const from = known.watermark ?? witnessed?.watermark ?? low;
    if (from > high) {
      observer.beyondEnd?.({ topic, partition, watermark: from, end: high });
      logger.error(
        { topic, partition, watermark: from, end: high },
        'progress is past the end of the log: reading it from its start',
      );
      return low;
    }
    if (from < low) await this.reportGap({ topic, partition, from, to: low }, known, above.complete, witnessed?.at);
    return Math.max(known.watermark ?? low, low);
  }

  /** kafkajs found the position of a partition that is being read out of range. */
  private async moveIntoLog(owned: OwnedPartition, known: Known): Promise<void> {
    const { low, high } = known;
    const { topic, partition, fetchFrom, tracker } = owned;
    if (fetchFrom > high) return this.options.lost(owned);
    if (fetchFrom < low) {
      await this.reportGap({ topic, partition, from: fetchFrom, to: low }, known, tracker?.completeAbove() ?? []);
      if (!owned.alive) return;
      owned.pass(low);
    }
    this.options.moved(owned);
  }

  /** Written down first: where that fails, the partition is not read, and all of it is told again. */
  private async reportGap(gap: AgedOut, log: Known, complete: readonly OffsetRun[], since?: number): Promise<void> {
    const { observer, logger, onAgedOut } = this.options;
    const gaps = openRuns(gap.from, gap.to, complete).map((run): AgedOut => ({
      ...gap,
      ...run,
      ...(since === undefined ? {} : { since }),
    }));
    const news: AgedOut[] = [];
    for (const each of gaps) {
      const untold = onAgedOut === undefined ? each : await onAgedOut(each, log);
      if (untold !== undefined) news.push(untold);
    }
    for (const each of news) {
      observer.agedOut?.(each);
      logger.error({ ...each }, 'records aged out of the log before they were read');
    }
  }
}
