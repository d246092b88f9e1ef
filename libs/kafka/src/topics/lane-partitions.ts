import type { TopicDifference } from './topic-difference.js';
import type { ActualTopic, TopicSpec } from './topic-spec.js';

/**
 * The partition count that all lanes have. What is there decides: the count is frozen when the first lane is made,
 * for partition p of every lane belongs to one owner.
 * @param existing the lanes that are there, those of retry delays that are no longer written among them
 * @returns the count for lanes still to be made, and what differs
 */
export function lanePartitions(
  plan: readonly TopicSpec[],
  existing: readonly ActualTopic[],
): { count: number | undefined; differences: TopicDifference[] } {
  const planned = plan.find((spec) => spec.kind === 'lane')?.partitions;
  const [first] = existing;
  if (planned === undefined || first === undefined) return { count: planned, differences: [] };
  const counts = [...new Set(existing.map((topic) => topic.partitions))];
  if (counts.length > 1) return { count: planned, differences: existing.map((topic) => unequal(topic, counts)) };
  if (first.partitions === planned) return { count: planned, differences: [] };
  return {
    count: first.partitions,
    differences: existing.map(({ name, partitions }) => ({
      topic: name,
      what: 'partitions',
      expected: String(planned),
      actual: String(partitions),
      dangerous: false,
      advice: `Lanes are frozen at ${partitions}; set HOOKLINE_LANE_PARTITIONS=${partitions}.`,
    })),
  };
}

function unequal(topic: ActualTopic, counts: readonly number[]): TopicDifference {
  return {
    topic: topic.name,
    what: 'partitions',
    expected: `the same in every lane, found ${counts.join(' and ')}`,
    actual: String(topic.partitions),
    dangerous: true,
    advice: 'Lanes were enlarged one by one: drain the odd ones, delete them, and run setup again.',
  };
}
