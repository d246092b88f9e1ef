import { TopicOffsets, type LookBack } from '@hookline/kafka';

/**
 * From where a partition of events is read once more, to know which ids it has seen: from one idempotency window before
 * the first event that is still to be done, but no more records than the index keeps.
 * @param appendTimeAt the append time of a record that is in the log, ms since the epoch
 */
export function dedupeLookBack(
  rules: { readonly idempotencyWindowMs: number; readonly idempotencyMaxIds: number },
  appendTimeAt: (topic: string, partition: number, offset: number) => Promise<number | undefined>,
  now: () => number,
): LookBack {
  return async (topic, partition, watermark, admin) => {
    if (watermark === 0) return 0;
    const offsets = new TopicOffsets(admin);
    const end = (await offsets.bounds(topic)).find((bounds) => bounds.partition === partition)?.high ?? watermark;
    const at = watermark < end ? await appendTimeAt(topic, partition, watermark) : undefined;
    const from = (await offsets.at(topic, (at ?? now()) - rules.idempotencyWindowMs)).get(partition) ?? watermark;
    return Math.max(0, Math.min(watermark, Math.max(from, watermark - rules.idempotencyMaxIds)));
  };
}
