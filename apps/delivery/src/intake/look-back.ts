import type { LookBack } from '@hookline/kafka';

/**
 * From where a partition of events is read once more, to know which ids it has seen: from one idempotency window before
 * the first event that is still to be done, but no more records than the index keeps.
 * @param appendTimeAt the append time of a record, ms since the epoch; undefined where the log has none there yet
 */
export function dedupeLookBack(
  rules: { readonly idempotencyWindowMs: number; readonly idempotencyMaxIds: number },
  appendTimeAt: (topic: string, partition: number, offset: number) => Promise<number | undefined>,
  now: () => number,
): LookBack {
  return async (topic, partition, watermark, admin) => {
    if (watermark === 0) return 0;
    const at = (await appendTimeAt(topic, partition, watermark)) ?? now();
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, at - rules.idempotencyWindowMs);
    const offset = Number(found.find((entry) => entry.partition === partition)?.offset ?? watermark);
    return Math.max(0, Math.min(watermark, Math.max(offset, watermark - rules.idempotencyMaxIds)));
  };
}
