import type { Kafka } from 'kafkajs';
import { RangeReader } from './range-reader.js';

const PATIENCE_MS = 10_000;

/**
 * The append time of a record that is in the log, ms since the epoch; undefined where there is a hole.
 * @throws when Kafka doesn't answer
 */
export async function appendTimeOf(
  kafka: Kafka,
  topic: string,
  partition: number,
  offset: number,
): Promise<number | undefined> {
  const reader = new RangeReader(kafka, { maxBytes: 4_096 });
  const range = { partition, from: offset, to: offset + 1 };
  for await (const { records } of reader.read(topic, [range], AbortSignal.timeout(PATIENCE_MS)))
    if (records[0] !== undefined) return records[0].timestamp;
  return undefined;
}
