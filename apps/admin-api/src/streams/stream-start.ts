import { TOPICS } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import type { StreamHistory, StreamPosition } from '@hookline/persistence';
import type { LogOffsets } from '../topics/log-offsets.js';
import { millisOf, type Timestamp } from '../topics/timestamp.js';

/** Where a reader without a cursor begins; Kafka is asked, for the recorder may be behind the log. */
export class StreamStart {
  constructor(
    private readonly log: Pick<LogOffsets, 'bounds' | 'at'>,
    private readonly history: Pick<StreamHistory, 'recorded' | 'first'>,
  ) {}

  /** @throws ProblemError 503 */
  async position(from: 'earliest' | 'latest' | Timestamp): Promise<StreamPosition> {
    const bounds = await this.log.bounds(TOPICS.events);
    if (from === 'latest') return new Map(bounds.map(({ partition, high }) => [partition, high]));
    return from === 'earliest' ? this.earliest(bounds) : this.at(bounds, millisOf(from));
  }

  /** The first event that history has; where it has none, what it will have next. */
  private async earliest(bounds: readonly PartitionOffsets[]): Promise<StreamPosition> {
    const recorded = await this.history.recorded();
    return this.each(bounds, async ({ partition, low }) => {
      const next = recorded.get(partition) ?? 0;
      return (await this.history.first(partition, null, next)) ?? Math.max(next, low);
    });
  }

  /** By the log; where the log begins later than that, history may have what was before. */
  private async at(bounds: readonly PartitionOffsets[], timestamp: number): Promise<StreamPosition> {
    const offsets = await this.log.at(TOPICS.events, timestamp);
    return this.each(bounds, async ({ partition, low, high }) => {
      const offset = offsets.get(partition) ?? high;
      return (offset <= low ? await this.history.first(partition, timestamp, low) : undefined) ?? offset;
    });
  }

  private async each(
    bounds: readonly PartitionOffsets[],
    offsetOf: (bounds: PartitionOffsets) => Promise<number>,
  ): Promise<StreamPosition> {
    const position = new Map<number, number>();
    for (const partition of bounds) position.set(partition.partition, await offsetOf(partition));
    return position;
  }
}
