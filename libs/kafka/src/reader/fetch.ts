import type { Broker } from 'kafkajs';
import type { LogRecord } from '../consumer/record.js';

/** A record read outside of any group: it has no owner. */
export type ReadRecord = Omit<LogRecord, 'assignment' | 'done'>;

/** One partition's part of a fetch. */
export interface Fetched {
  partition: number;
  records: ReadRecord[];
  /** Where the next fetch goes on; the same as before where nothing came. */
  next: number;
  highWatermark: number;
}

export interface FetchTarget {
  partition: number;
  offset: number;
}

export interface FetchLimits {
  maxWaitMs: number;
  maxBytes: number;
}

/** What kafkajs answers to `broker.fetch`; its own types say `any`. */
interface RawResponse {
  responses: {
    topicName: string;
    partitions: { partition: number; highWatermark: string; messages: RawMessage[] }[];
  }[];
}

interface RawMessage {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers?: ReadRecord['headers'];
  isControlRecord?: boolean;
}

/** One fetch from one leader. @throws what kafkajs throws, `KafkaJSOffsetOutOfRange` among it */
export async function fetchFrom(
  broker: Broker,
  topic: string,
  targets: readonly FetchTarget[],
  limits: FetchLimits,
): Promise<Fetched[]> {
  const answer = (await broker.fetch({
    maxWaitTime: limits.maxWaitMs,
    minBytes: 1,
    maxBytes: limits.maxBytes,
    topics: [
      {
        topic,
        partitions: targets.map(({ partition, offset }) => ({
          partition,
          fetchOffset: String(offset),
          maxBytes: limits.maxBytes,
        })),
      },
    ],
  })) as RawResponse;
  const asked = new Map(targets.map((target) => [target.partition, target.offset]));
  return answer.responses.flatMap(({ partitions }) =>
    partitions.map((part) => {
      const from = asked.get(part.partition) ?? 0;
      const last = part.messages.at(-1);
      return {
        partition: part.partition,
        // A fetch begins with the batch that holds the offset: what stands before it there is not asked for.
        records: part.messages
          .filter((m) => Number(m.offset) >= from && !m.isControlRecord)
          .map((m) => toRecord(topic, part.partition, m)),
        next: last === undefined ? from : Math.max(from, Number(last.offset) + 1),
        highWatermark: Number(part.highWatermark),
      };
    }),
  );
}

function toRecord(topic: string, partition: number, message: RawMessage): ReadRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
  };
}
