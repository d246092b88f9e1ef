import { decodeDeliveryHeaders, isWide, retryDelayOf, TOPICS, type DeliveryEnvelope } from '@hookline/contracts';
import { ScanBounds, type FoundRecord, type OrderedEvent } from '@hookline/domain';
import type { OffsetRange, ReadBatch, ReadRecord, RestoredProgress } from '@hookline/kafka';
import { isTier, streamOf } from './stream-of.js';

/** Reads a range of a lane outside of the group; ends at the range's end, or when it is aborted. */
export type ReadLane = (lane: string, range: OffsetRange, signal: AbortSignal) => AsyncIterable<ReadBatch>;

/** Who is told what the scan finds; a gate is one. */
export interface Finds {
  found(record: FoundRecord): void;
  foundComplete(event: OrderedEvent): void;
}

export interface ScanRules {
  readonly readLane: ReadLane;
  /** Whether order matters for it: its subscription is ordered, or not known yet. */
  isOrdered(envelope: DeliveryEnvelope): boolean;
  /** By how much a retry is later than its delay, ms. */
  jitterMs(envelope: DeliveryEnvelope, delayMs: number): number;
  /** What was handed over anew is looked at from so many records before the last complete one. */
  readonly rememberedMost: number;
}

interface Found {
  readonly envelope: DeliveryEnvelope;
  readonly event: OrderedEvent;
  readonly record: ReadRecord;
}

/**
 * Finds out what is outstanding in one partition of all lanes when it is taken over: everything in the retry tiers that is not
 * complete; and of what was handed over anew, what is through, and what stands before anything that is in a tier.
 */
export class LaneScan {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly rules: ScanRules) {}

  /**
   * One after the other: a worker that starts takes many partitions over at once.
   * @param lanes each with its progress
   * @throws when it is aborted
   */
  run(partition: number, lanes: ReadonlyMap<string, RestoredProgress>, to: Finds, signal: AbortSignal): Promise<void> {
    const run = this.last.then(() => this.scan(partition, lanes, to, signal));
    this.last = run.catch(() => undefined);
    return run;
  }

  private async scan(
    partition: number,
    lanes: ReadonlyMap<string, RestoredProgress>,
    to: Finds,
    signal: AbortSignal,
  ): Promise<void> {
    const bounds = { live: new ScanBounds(), replays: new ScanBounds() };
    const scans = [...lanes].map(([lane, progress]) => ({ lane, progress, partition, signal, to }));
    await Promise.all(scans.filter(({ lane }) => isTier(lane)).map((scan) => this.scanTier(scan, bounds)));
    for (const scan of scans)
      if (!isTier(scan.lane)) await this.scanAnew(scan, scan.lane === TOPICS.replays ? bounds.replays : bounds.live);
  }

  private async scanTier(
    { lane, progress, partition, signal, to }: Scan,
    bounds: { live: ScanBounds; replays: ScanBounds },
  ): Promise<void> {
    const delayMs = retryDelayOf(lane) as number;
    const range = { partition, from: progress.watermark, to: progress.end };
    for await (const { records } of this.rules.readLane(lane, range, signal))
      for (const { envelope, event, record } of this.orderedOf(records)) {
        const { offset, timestamp } = record;
        if (progress.isComplete(offset)) continue;
        const dueAt = timestamp + delayMs + this.rules.jitterMs(envelope, delayMs);
        to.found({ ...event, lane, offset, fromTier: true, dueAt });
        (envelope.replayId === undefined ? bounds.live : bounds.replays).foundInTier(sourceOf(envelope), event);
      }
  }

  private async scanAnew({ lane, progress, partition, signal, to }: Scan, bounds: ScanBounds): Promise<void> {
    const { watermark, completeTo, end } = progress;
    // From the watermark on in any case: a complete copy says nothing where an earlier record is not complete.
    const from = Math.max(0, Math.min(watermark, completeTo - this.rules.rememberedMost));
    const range = { partition, from, to: bounds.isOpen ? end : completeTo };
    for await (const { records } of this.rules.readLane(lane, range, signal))
      for (const { envelope, event, record } of this.orderedOf(records)) {
        const { offset } = record;
        if (offset >= completeTo && !bounds.isOpen) return;
        if (progress.isComplete(offset)) to.foundComplete(event);
        else to.found({ ...event, lane, offset, fromTier: false, dueAt: 0 });
        bounds.foundAnew(sourceOf(envelope), event);
      }
  }

  private *orderedOf(records: readonly ReadRecord[]): Generator<Found> {
    for (const record of records) {
      const envelope = envelopeOf(record);
      if (envelope !== undefined && this.rules.isOrdered(envelope))
        yield { envelope, record, event: streamOf(envelope) };
    }
  }
}

interface Scan {
  readonly lane: string;
  readonly progress: RestoredProgress;
  readonly partition: number;
  readonly signal: AbortSignal;
  readonly to: Finds;
}

/** What hands over in order: a partition of the events, for live work or for one replay. */
function sourceOf({ source, replayId = '' }: DeliveryEnvelope): string {
  return `${source.partition} ${replayId}`;
}

/** Undefined for what can't be read: whoever reads it in its lane says so. */
function envelopeOf({ headers, value }: ReadRecord): DeliveryEnvelope | undefined {
  if (value === null || isWide(headers)) return undefined;
  try {
    return decodeDeliveryHeaders(headers);
  } catch {
    return undefined;
  }
}
