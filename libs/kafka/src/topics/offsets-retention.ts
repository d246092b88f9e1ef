import { TOPICS } from '@hookline/contracts';
import kafkajs from 'kafkajs';
import type { TopicAdmin } from './read-topics.js';
import type { TopicDifference } from './topic-difference.js';
import type { TopicSpec } from './topic-spec.js';

const NAME = 'offsets.retention.minutes';
const MINUTE_MS = 60_000;

/**
 * For how long the brokers keep the progress of a group that is empty. Where the log is kept for longer, workers that were
 * away for that time begin at its start, and send again what it has. A cluster that doesn't tell isn't asked twice.
 */
export async function offsetsRetention(
  admin: TopicAdmin,
  brokers: readonly number[],
  plan: readonly TopicSpec[],
): Promise<TopicDifference[]> {
  const [broker] = brokers;
  // No group reads the dead letters.
  const read = plan.filter(({ kind, name }) => kind !== 'compacted' && !name.endsWith(TOPICS.deadLetters));
  const keptMs = Math.max(0, ...read.map(({ configs }) => Number(configs['retention.ms'] ?? 0)));
  const minutes = broker === undefined ? undefined : await minutesOf(admin, broker);
  if (minutes === undefined || minutes * MINUTE_MS >= keptMs) return [];
  return [
    {
      topic: '__consumer_offsets',
      what: NAME,
      expected: `at least ${Math.ceil(keptMs / MINUTE_MS)}`,
      actual: String(minutes),
      dangerous: false,
      advice:
        'Set it in the configuration of the brokers: workers that were away for longer would send again all the log has.',
    },
  ];
}

/** Undefined where the cluster doesn't say; some let nobody read the brokers' settings. */
async function minutesOf(admin: TopicAdmin, broker: number): Promise<number | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: String(broker), configNames: [NAME] }],
    });
    const value = resources[0]?.configEntries.find(({ configName }) => configName === NAME)?.configValue;
    return value === undefined ? undefined : Number(value);
  } catch {
    return undefined;
  }
}
