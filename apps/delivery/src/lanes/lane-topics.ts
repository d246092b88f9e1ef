import { retryDelayOf, retryTopic, TOPICS } from '@hookline/contracts';

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

/** The topics that this worker can't be without, and that are not there. */
export function missingTopics(existing: readonly string[], retryDelaysMs: readonly number[]): string[] {
  const needed = [TOPICS.events, TOPICS.deliveries, TOPICS.replays, TOPICS.attempts, TOPICS.deadLetters];
  return [...needed, ...retryDelaysMs.map(retryTopic)].filter((topic) => !existing.includes(topic));
}
