import type { RecordMetadata } from 'kafkajs';
import type { PartitionBatch } from './partition-batch.js';

/**
 * Settles the batches that the answer covers and returns the others: that a send resolved says nothing about a
 * partition which the answer doesn't name (kafkajs #1303).
 */
export function settleAcknowledged(
  batches: readonly PartitionBatch[],
  answer: readonly RecordMetadata[],
): PartitionBatch[] {
  const missing: PartitionBatch[] = [];
  for (const batch of batches) {
    const { topic, partition } = batch.queue;
    const acknowledged = answer.find(
      (entry) => entry.partition === partition && entry.topicName === topic && entry.errorCode === 0,
    );
    if (acknowledged) batch.acknowledge(Number(acknowledged.baseOffset ?? -1));
    else missing.push(batch);
  }
  return missing;
}
