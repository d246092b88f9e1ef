import type { Clock } from '@hookline/platform';
import type { RecordMetadata } from 'kafkajs';
import type { KafkaLogger } from '../client.js';
import { settleAcknowledged } from './acknowledgement.js';
import type { IdempotentProducer } from './idempotent-producer.js';
import type { PartitionBatch } from './partition-batch.js';
import { pause } from './waiting.js';
import type { PumpObserver } from './pump-observer.js';
import { faultOf, type SendFault } from './send-fault.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** Reconnecting this often in a row has not helped: the client is stuck for good, whatever the brokers do. */
const HOPELESS_RECONNECTS = 8;

/** What a lane needs of its producer. */
export type LaneProducer = Pick<
  IdempotentProducer,
  'send' | 'doubtLeaders' | 'reconnect' | 'replace' | 'renewIfWorn' | 'warm' | 'close'
>;

export interface LaneSurroundings {
  clock: Clock;
  logger: KafkaLogger;
  observer: PumpObserver;
  /** Aborted when the pump has stopped: nothing is sent any more. */
  stopped: AbortSignal;
  /** Leaders may have moved. */
  onStale(): void;
  /** A leader has just said when it appended something, ms since the epoch by its own clock. */
  onAppended?: ((leader: number, appendTime: number) => void) | undefined;
}

/**
 * The way to one leader: one producer, one send outstanding. What it has begun it finishes, wherever the
 * partitions are led meanwhile.
 */
export class LeaderLane {
  /** What is out; empty when the lane is idle. */
  private batches: readonly PartitionBatch[] = [];
  private failures = 0;
  private reconnects = 0;

  constructor(
    readonly leader: number,
    private readonly producer: LaneProducer,
    private readonly around: LaneSurroundings,
  ) {}

  get idle(): boolean {
    return this.batches.length === 0;
  }

  get inFlight(): readonly PartitionBatch[] {
    return this.batches;
  }

  /** Resolves when each batch is settled or the pump has stopped; `onClosed` is told of each as soon as it is. */
  async deliver(batches: readonly PartitionBatch[], onClosed: (batch: PartitionBatch) => void): Promise<void> {
    this.batches = batches;
    this.failures = 0;
    await this.producer.renewIfWorn();
    await this.attempt(batches);
    let open = stillOpen(batches, onClosed);
    while (open.length > 0 && !this.around.stopped.aborted) {
      if (this.failures > 0) await pause(this.around.clock, this.pauseMs(), this.around.stopped);
      // One partition at a time: they may have gone to several leaders, and one may be at fault.
      for (const batch of open) if (!this.around.stopped.aborted) await this.attempt([batch]);
      open = stillOpen(open, onClosed);
    }
    this.batches = [];
  }

  /** Connects ahead of the first send; a failure shows when there is something to send. */
  async warm(): Promise<void> {
    await this.producer.warm().catch(() => undefined);
  }

  close(): Promise<void> {
    return this.producer.close();
  }

  private async attempt(batches: readonly PartitionBatch[]): Promise<void> {
    const { clock, observer } = this.around;
    const startedAt = clock.now();
    const { records, bytes } = sizeOf(batches);
    try {
      const answer = await this.producer.send(batches);
      const missing = settleAcknowledged(batches, answer);
      this.tellAppendTime(answer);
      this.failures = missing.length === 0 ? 0 : this.failures + 1;
      this.reconnects = 0;
      observer.flushed({ leader: this.leader, records, bytes, durationMs: clock.now() - startedAt });
      if (missing.length > 0) observer.unacknowledged(missing.length);
    } catch (error) {
      await this.recover(batches, faultOf(error));
    }
  }

  private tellAppendTime(answer: readonly RecordMetadata[]): void {
    // −1 where the topic keeps what the producers claim.
    for (const { logAppendTime = '-1' } of answer)
      if (logAppendTime !== '-1') this.around.onAppended?.(this.leader, Number(logAppendTime));
  }

  private async recover(batches: readonly PartitionBatch[], fault: SendFault): Promise<void> {
    const { logger, observer } = this.around;
    observer.failed(fault.name);
    logger.warn(
      { leader: this.leader, fault: fault.name, partitions: batches.length },
      `a send failed: ${fault.message}`,
    );
    if (fault.kind === 'refused') {
      // With several partitions in a send, each is tried alone first.
      const [only] = batches;
      if (batches.length === 1) only?.refuse(fault.message);
      return;
    }
    this.failures += 1;
    this.around.onStale();
    this.producer.doubtLeaders();
    this.reconnects = fault.kind === 'reconnect' ? this.reconnects + 1 : 0;
    if (fault.kind === 'new-producer' || this.reconnects > HOPELESS_RECONNECTS) {
      observer.producerReplaced();
      await this.producer.replace();
    } else if (fault.kind === 'reconnect') {
      await this.producer.reconnect();
    }
  }

  private pauseMs(): number {
    return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures - 1, 10), LONGEST_PAUSE_MS);
  }
}

function stillOpen(
  batches: readonly PartitionBatch[],
  onClosed: (batch: PartitionBatch) => void,
): readonly PartitionBatch[] {
  const open: PartitionBatch[] = [];
  for (const batch of batches) {
    if (batch.open) open.push(batch);
    else onClosed(batch);
  }
  return open;
}

function sizeOf(batches: readonly PartitionBatch[]): { records: number; bytes: number } {
  let records = 0;
  let bytes = 0;
  for (const { piece } of batches) {
    records += piece.length;
    for (const record of piece) bytes += record.bytes;
  }
  return { records, bytes };
}
