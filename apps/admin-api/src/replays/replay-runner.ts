import {
  decodeEventHeaders,
  encodeDeliveryHeaders,
  TOPICS,
  UnreadableRecord,
  type EventEnvelope,
  type LogPosition,
} from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import type { Output, RangeReader, ReadBatch, ReadRecord } from '@hookline/kafka';
import type { Logger } from '@hookline/platform';
import type { Decisions } from './decisions.js';
import { InFlight } from './in-flight.js';
import type { ReplayMatcher } from './replay-matcher.js';
import type { ReplayJob, ReplayStore } from './replay-store.js';

export interface ReplayRunnerParts {
  reader: RangeReader;
  /** For one run. */
  newDecisions: () => Decisions;
  loadMatcher: (job: ReplayJob) => Promise<ReplayMatcher>;
  output: Output;
  logger: Logger;
  maxInFlightBytes: number;
}

interface Selected {
  record: ReadRecord;
  event: EventEnvelope;
  subscriptionIds: string[];
}

/**
 * Hands the events of a replay's ranges over to its lane, and saves how far it has come after each batch that Kafka
 * has acknowledged. Whoever resumes it goes on from there: what was handed over and not saved is handed over again,
 * with the same delivery ids.
 */
export class ReplayRunner {
  constructor(private readonly parts: ReplayRunnerParts) {}

  /** @throws whatever kept it from going on; it can be resumed then */
  async run(job: ReplayJob, store: ReplayStore, signal: AbortSignal): Promise<void> {
    const matcher = await this.parts.loadMatcher(job);
    const ranges = Object.entries(job.partitions).map(([partition, { next, to }]) => ({
      partition: Number(partition),
      from: next,
      to,
    }));
    const decisions = this.parts.newDecisions();
    let gone = 0;
    for await (const batch of this.parts.reader.read(TOPICS.events, ranges, signal)) {
      await this.handOver(job, this.select(job, batch, matcher), decisions, signal);
      job.scanned += batch.records.length;
      const range = job.partitions[batch.partition];
      if (range) range.next = batch.next;
      gone += batch.gone;
      signal.throwIfAborted();
      await store.save(job);
    }
    const note = gone === 0 ? null : `${gone} offsets were deleted by retention before they could be read.`;
    await store.finish(job, 'completed', note);
  }

  private async handOver(
    job: ReplayJob,
    selected: readonly Selected[],
    decisions: Decisions,
    signal: AbortSignal,
  ): Promise<void> {
    const repeats = await decisions.duplicatesAmong(
      selected.map(({ record }) => positionOf(record)),
      signal,
    );
    const inFlight = new InFlight(this.parts.maxInFlightBytes, signal);
    for (const { record, event, subscriptionIds } of selected) {
      if (repeats.has(record.offset)) continue;
      job.matched += 1;
      job.sent += subscriptionIds.length;
      for (const subscriptionId of subscriptionIds) {
        signal.throwIfAborted();
        await inFlight.add(record.value?.length ?? 0, () => this.produce(job.id, record, event, subscriptionId));
      }
    }
    await inFlight.settled();
  }

  private select(job: ReplayJob, batch: ReadBatch, matcher: ReplayMatcher): Selected[] {
    return batch.records.flatMap((record) => {
      const event = this.eventOf(record);
      if (event === undefined || (job.tenantId !== null && event.tenant !== job.tenantId)) return [];
      const subscriptionIds = matcher.match(event);
      return subscriptionIds.length === 0 ? [] : [{ record, event, subscriptionIds }];
    });
  }

  private eventOf(record: ReadRecord): EventEnvelope | undefined {
    try {
      return decodeEventHeaders(record.headers);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      const { partition, offset } = record;
      this.parts.logger.warn({ err: error, partition, offset }, 'a replay left out a record that can not be read');
      return undefined;
    }
  }

  private async produce(
    replayId: string,
    record: ReadRecord,
    event: EventEnvelope,
    subscriptionId: string,
  ): Promise<void> {
    const source = positionOf(record);
    const headers = encodeDeliveryHeaders({
      event,
      source,
      subscriptionId,
      deliveryId: deliveryIdOf(event, source, subscriptionId),
      attempts: 0,
      replayId,
      history: [],
    });
    await this.parts.output.produce({ topic: TOPICS.replays, key: subscriptionId, value: record.value, headers });
  }
}

function positionOf({ partition, offset, timestamp }: ReadRecord): LogPosition {
  return { partition, offset, at: timestamp };
}
