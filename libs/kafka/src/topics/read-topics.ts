import kafkajs, { type Admin } from 'kafkajs';
import type { ActualTopic } from './topic-spec.js';

/** What this module needs of kafkajs' admin client. */
export type TopicAdmin = Pick<
  Admin,
  'listTopics' | 'fetchTopicMetadata' | 'describeConfigs' | 'createTopics' | 'describeCluster'
>;

/** The topics of these names as they are. They must exist. */
export async function readTopics(admin: TopicAdmin, names: readonly string[]): Promise<ActualTopic[]> {
  if (names.length === 0) return [];
  const [{ topics }, { resources }] = await Promise.all([
    admin.fetchTopicMetadata({ topics: [...names] }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    }),
  ]);
  const configs = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.length,
    replicationFactor: Math.min(...partitions.map((partition) => partition.replicas.length)),
    configs: configs.get(name) ?? {},
  }));
}
