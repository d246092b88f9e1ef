import { retryDelayOf, retryTopic, TOPICS } from '@hookline/contracts';

const RESTS_FROM_MS = 2_000;

/**
 * Every lane that exists: what a delay that is no longer written still holds is drained, not forgotten.
 * @param existing all topics of the cluster
 */
export function laneTopics(existing: readonly string[]): string[] {
  const lanes = existing.filter(
    (topic) => topic === TOPICS.deliveries || topic === TOPICS.replays || retryDelayOf(topic) !== undefined,
  );
  return lanes.sort();
}

/** What comes into a tier of this delay or more is not due for so long that it may be read in lumps. */
export function mayRest(topic: string): boolean {
  return (retryDelayOf(topic) ?? 0) >= RESTS_FROM_MS;
}

/** The topics that this worker can't be without, and that are not there. */
export function missingTopics(existing: readonly string[], retryDelaysMs: readonly number[]): string[] {
  const { events, deliveries, replays, attempts, deadLetters, progress } = TOPICS;
  const needed = [events, deliveries, replays, attempts, deadLetters, progress];
  return [...needed, ...retryDelaysMs.map(retryTopic)].filter((topic) => !existing.includes(topic));
}

/**
 * How many partitions each lane has.
 * @throws Error where they differ: a subscription would have another owner in one lane than in the other
 */
export function lanePartitions({
  topics,
}: {
  topics: readonly { name: string; partitions: readonly unknown[] }[];
}): number {
  const counts = new Set(topics.map(({ partitions }) => partitions.length));
  const [count] = counts;
  if (counts.size === 1 && count !== undefined && count > 0) return count;
  const found = topics.map(({ name, partitions }) => `${name} has ${partitions.length}`).join(', ');
  throw new Error(`the lanes must have equally many partitions: ${found}`);
}
