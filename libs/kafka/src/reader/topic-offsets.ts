import kafkajs, { type Admin } from 'kafkajs';

/** What the log has of one partition: offsets from `low` (inclusive) to `high` (exclusive). */
export interface PartitionOffsets {
  partition: number;
  low: number;
  high: number;
}

/** Asks where a topic's log begins and ends, and what stands where at a time. Takes a connected admin client. */
export class TopicOffsets {
  constructor(private readonly admin: Admin) {}

  /** By partition, in order. */
  async bounds(topic: string): Promise<PartitionOffsets[]> {
    const offsets = await this.admin.fetchTopicOffsets(topic).catch(saidOf(topic));
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  /**
   * For each partition the first offset that was appended at or after the time, or the log's end where there is none.
   * @param timestamp ms since the epoch
   */
  async at(topic: string, timestamp: number): Promise<Map<number, number>> {
    const offsets = await this.admin.fetchTopicOffsetsByTimestamp(topic, timestamp).catch(saidOf(topic));
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
  }
}

/** Where a broker names no partition of the topic, for a moment after it has started, kafkajs stumbles over the empty answer. */
function saidOf(topic: string): (error: Error) => never {
  return (error) => {
    throw error.name === 'TypeError' ? notLed(`${topic} has no partitions yet`) : error;
  };
}

/** In Kafka's own words, so that whoever asks again where nobody leads a partition does so here. */
export function notLed(message: string): Error {
  return new kafkajs.KafkaJSProtocolError({ type: 'LEADER_NOT_AVAILABLE', code: 5, retriable: true, message } as never);
}
